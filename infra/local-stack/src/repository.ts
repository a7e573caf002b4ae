import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This package's folder, from src/ and from dist/ alike. */
export const packageFolder = fileURLToPath(new URL('..', import.meta.url));
export const repositoryFolder = join(packageFolder, '..', '..');
/** What is fetched or compiled once for this working copy, whoever runs it. */
export const cacheFolder = join(repositoryFolder, '.assent', 'cache');
