import { SetMetadata } from '@nestjs/common';
import type { INestApplicationContext } from '@nestjs/common';
import { PATH_METADATA, ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import { ModulesContainer } from '@nestjs/core';
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js';
import { getMetadataStorage } from 'class-validator';
import { accessOf } from './access.ts';
import { rawJsonLimitOf } from './http-server.ts';

/** The service is put together wrongly: every fault is listed. A defect of the program, found at boot. */
export class AssemblyError extends Error {
  readonly code = 'assembly-invalid';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The service is put together wrongly:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'AssemblyError';
    this.faults = faults;
  }
}

const UNCHECKED_BODY = 'assent:unchecked-body';

/**
 * The route takes a body without a DTO class, so nothing in it is checked or refused.
 *
 * @param why read by people; withdrawals keep unknown fields
 */
export const UncheckedBody = (why: string): MethodDecorator => SetMetadata(UNCHECKED_BODY, why);

/** What the controllers of the application declare. */
export interface DeclaredRoutes {
  /** Topics that some handler reads. */
  topics: readonly string[];
  /** The largest body any raw route takes, bytes; 0 without one. */
  rawLimitBytes: number;
  /** Classes that bodies and queries are checked by. */
  dtos: readonly (new () => object)[];
  /** Faults: routes that say nobody who may call them, inputs that nothing checks, topics read twice. */
  faults: readonly string[];
}

/** Nest's numbers for the two inputs that need a DTO. */
const BODY: number = RouteParamtypes.BODY;
const QUERY: number = RouteParamtypes.QUERY;

type Controller = new (...args: never[]) => object;
type Handler = (...args: unknown[]) => unknown;

/** Reads what every controller of the application declares. */
export function declaredRoutes(app: INestApplicationContext): DeclaredRoutes {
  const controllers = new Set<Controller>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values())
      if (typeof metatype === 'function') controllers.add(metatype as Controller);
  }
  const topics: string[] = [];
  const faults: string[] = [];
  const dtos = new Set<new () => object>();
  let rawLimitBytes = 0;
  for (const controller of controllers) {
    for (const [name, handler] of handlersOf(controller)) {
      topics.push(...((Reflect.getMetadata(PATTERN_METADATA, handler) as string[] | undefined) ?? []));
      rawLimitBytes = Math.max(rawLimitBytes, rawJsonLimitOf(handler) ?? 0);
      if (!Reflect.hasMetadata(PATH_METADATA, handler)) continue;
      const route = inspectRoute(controller, name, handler);
      faults.push(...route.faults);
      for (const dto of route.dtos) dtos.add(dto);
    }
  }
  for (const topic of new Set(topics.filter((topic, index) => topics.indexOf(topic) !== index))) {
    faults.push(`topic ${topic} has more than one handler`);
  }
  return { topics: [...new Set(topics)].sort(), rawLimitBytes, dtos: [...dtos], faults };
}

function handlersOf(controller: Controller): [name: string, handler: Handler][] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype)
    .filter((name) => name !== 'constructor')
    .map((name) => [name, Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown] as const)
    .filter((entry): entry is [string, Handler] => typeof entry[1] === 'function');
}

function inspectRoute(controller: Controller, name: string, handler: Handler): Pick<DeclaredRoutes, 'dtos' | 'faults'> {
  const route = `${controller.name}.${name}`;
  const faults = accessOf(handler, controller) === undefined ? [`${route} has neither @Roles nor @Public`] : [];
  const dtos: (new () => object)[] = [];
  const types =
    (Reflect.getMetadata('design:paramtypes', controller.prototype as object, name) as unknown[] | undefined) ?? [];
  const parameters =
    (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as
      Record<string, { index: number; data?: unknown }> | undefined) ?? {};
  for (const [key, { index, data }] of Object.entries(parameters)) {
    const kind = Number(key.split(':')[0]);
    if (kind !== BODY && kind !== QUERY) continue;
    if (kind === BODY && Reflect.hasMetadata(UNCHECKED_BODY, handler)) continue;
    const type = types[index];
    if (data === undefined && isChecked(type)) dtos.push(type);
    else
      faults.push(
        `${route} takes a ${kind === BODY ? 'body' : 'query'} without a DTO class (is it imported as a type?)`,
      );
  }
  return { dtos, faults };
}

/** A class with at least one class-validator rule. */
function isChecked(type: unknown): type is new () => object {
  return (
    typeof type === 'function' && getMetadataStorage().getTargetValidationMetadatas(type, '', false, false).length > 0
  );
}
