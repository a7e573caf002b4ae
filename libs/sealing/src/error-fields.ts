/**
 * A member of something that was thrown. By shape, not by class: errors of Node's own modules can come from another
 * realm (a worker, a test runner), where `instanceof Error` is false.
 */
export function errorField(error: unknown, field: 'code' | 'name'): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[field] : undefined;
}
