import { InMemoryProjectionStore } from './in-memory-projection-store.fixture.ts';
import { describeProjectionStore } from './projection-store.contract.ts';

describe('the in-memory projection store', () => {
  let shared: InMemoryProjectionStore;

  beforeEach(() => {
    shared = new InMemoryProjectionStore();
  });

  describeProjectionStore((projection) => Promise.resolve(shared.seenWith(() => undefined, projection)));
});
