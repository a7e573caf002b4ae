import type { NewId } from '@assent/service-runtime';

/** Ids in the form of random UUIDs that count: `00000000-0000-4000-8000-000000000001` and so on. */
export function sequentialIds(): NewId {
  let last = 0;
  return () => {
    last += 1;
    return `00000000-0000-4000-8000-${String(last).padStart(12, '0')}`;
  };
}
