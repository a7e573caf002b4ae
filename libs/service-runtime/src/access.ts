import { createHash, timingSafeEqual } from 'node:crypto';
import { createParamDecorator, SetMetadata } from '@nestjs/common';
import type { CanActivate, CustomDecorator, ExecutionContext } from '@nestjs/common';
import { IsArray, IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { Problem } from './problem.ts';

/** What a bearer of a token may do. `service` is for calls between the services. */
export const ROLES = ['capture', 'sender', 'operator', 'auditor', 'privacy', 'admin', 'service'] as const;
export type Role = (typeof ROLES)[number];

/** Who calls: the controller in the legal sense, what they may do, and who to name in the record. */
export interface Caller {
  tenant: string;
  roles: readonly Role[];
  actor: string;
}

/** One bearer token as configured: only its SHA-256 is kept. */
export class TokenEntry {
  /** SHA-256 of the token's UTF-8 bytes, 64 hex digits. */
  @Matches(/^[0-9a-f]{64}$/)
  sha256!: string;
  @Matches(/^[a-z0-9][a-z0-9-]{0,31}$/)
  tenant!: string;
  @IsArray()
  @IsIn(ROLES, { each: true })
  roles!: Role[];
  /** Named in events and logs; no personal data. */
  @IsString()
  @MaxLength(64)
  actor!: string;
}

/** Tenant of the tokens for local use. */
export const LOCAL_TENANT = 'acme';

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** The token of a role for local use, `local-<role>`; refused in production. */
export const localToken = (role: Role): string => `local-${role}`;

/** The tokens for local use, one per role, all of tenant {@link LOCAL_TENANT}. */
export function localTokens(): TokenEntry[] {
  return ROLES.map((role) => {
    const token = localToken(role);
    return Object.assign(new TokenEntry(), {
      sha256: sha256(token).toString('hex'),
      tenant: LOCAL_TENANT,
      roles: [role],
      actor: token,
    });
  });
}

const ROLES_METADATA = 'assent:roles';
const PUBLIC_METADATA = 'assent:public';

/** Who may call a route: a caller with one of these roles. On a handler, or on a class for all of its handlers. */
export const Roles = (...roles: readonly [Role, ...Role[]]): CustomDecorator => SetMetadata(ROLES_METADATA, roles);

/** Anyone may call this route: the handler itself must know whom it trusts. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC_METADATA, true);

/** What a route allows; `undefined` when neither {@link Roles} nor {@link Public} was said. The handler's word wins. */
export function accessOf(handler: object, controller: object): 'public' | readonly Role[] | undefined {
  for (const target of [handler, controller]) {
    const roles = Reflect.getMetadata(ROLES_METADATA, target) as readonly Role[] | undefined;
    if (roles !== undefined) return roles;
    if (Reflect.getMetadata(PUBLIC_METADATA, target) === true) return 'public';
  }
  return undefined;
}

const callers = new WeakMap<object, Caller>();

/** The authenticated caller of the request; fails on a public route, which has none. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller =>
  callerOf(context.switchToHttp().getRequest<object>()),
);

/** The caller the guard found for this request. */
export function callerOf(request: object): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('This route has no caller: it is public.');
  return caller;
}

/** The tenant for a log line, when there is a caller. */
export const tenantOf = (request: object): string | undefined => callers.get(request)?.tenant;

/** Longest bearer token looked at, in characters: enough for any random token, too short to make hashing dear. */
const TOKEN_LENGTH_MAX = 512;

/** Finds the caller of a bearer token. Hashes are compared in constant time and all of them are, found or not. */
export class Callers {
  readonly #entries: readonly { hash: Buffer; caller: Caller }[];

  constructor(tokens: readonly TokenEntry[]) {
    this.#entries = tokens.map(({ sha256: hash, tenant, roles, actor }) => ({
      hash: Buffer.from(hash, 'hex'),
      caller: { tenant, roles, actor },
    }));
  }

  /** @returns the caller, or `undefined` for a missing, malformed or unknown token */
  find(authorization: string | undefined): Caller | undefined {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > TOKEN_LENGTH_MAX) return undefined;
    const hash = sha256(token);
    let found: Caller | undefined;
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.hash, hash)) found = entry.caller;
    }
    return found;
  }
}

/** Denies by default: 401 without a known token, 403 without a role the route names. Leaves Kafka handlers alone. */
export class AccessGuard implements CanActivate {
  readonly #callers: Callers;

  constructor(known: Callers) {
    this.#callers = known;
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const access = accessOf(context.getHandler(), context.getClass());
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const caller = this.#callers.find(request.headers.authorization);
    if (caller === undefined) {
      throw new Problem({
        status: 401,
        code: 'unauthenticated',
        title: 'No known caller',
        detail: 'Send a known token as "Authorization: Bearer <token>".',
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    if (access === undefined || !access.some((role) => caller.roles.includes(role))) {
      const wanted = access === undefined ? 'nobody' : access.join(' or ');
      throw new Problem({
        status: 403,
        code: 'forbidden',
        title: 'Not allowed',
        detail: `This call is for ${wanted}.`,
      });
    }
    callers.set(request, caller);
    return true;
  }
}
