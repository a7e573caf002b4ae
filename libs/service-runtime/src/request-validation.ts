import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from '@nestjs/common';
import { Problem } from './problem.ts';

/** Most faults named in one answer: enough to mend a request, too few to make the answer large. */
const FAULTS_MAX = 50;

/** A field name that is safe to send back; others may be anything, an address included. */
const FIELD_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** One field that breaks rules: its path (`recipient.phone`, `items.3.to`) and the names of the rules. */
interface FieldFault {
  field: string;
  rules: string[];
}

function faultsOf(errors: readonly ValidationError[], path: string): FieldFault[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const name = FIELD_NAME.test(property) ? property : '(a field we do not know)';
    const field = path === '' ? name : `${path}.${name}`;
    const rules = Object.keys(constraints ?? {}).map((rule) =>
      rule === 'whitelistValidation' ? 'unknownField' : rule,
    );
    return [...(rules.length > 0 ? [{ field, rules }] : []), ...faultsOf(children ?? [], field)];
  });
}

/**
 * Checks every DTO: unknown fields are refused, nothing is converted that a DTO does not convert itself. The problem
 * (400 `invalid-request`) lists field paths and rule names in `errors`, never a value.
 */
export function requestValidation(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => {
      const faults = faultsOf(errors, '').slice(0, FAULTS_MAX);
      const fields = faults.map(({ field, rules }) => `${field} (${rules.join(', ')})`).slice(0, 5);
      return new Problem({
        status: 400,
        code: 'invalid-request',
        title: 'The request breaks its rules',
        detail: `Mend: ${fields.join('; ')}${faults.length > fields.length ? '; …' : ''}.`,
        extra: { errors: faults },
      });
    },
  });
}
