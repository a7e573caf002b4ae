import type { RecipientAddress, RecipientDocument } from './recipient.projection.ts';

/** The number that is dialled, else any number, else the business-scoped id. */
export function preferredAddress({ addresses }: RecipientDocument): RecipientAddress | undefined {
  return (
    addresses.find(({ kind }) => kind === 'phone') ?? addresses.find(({ kind }) => kind === 'waId') ?? addresses.at(0)
  );
}
