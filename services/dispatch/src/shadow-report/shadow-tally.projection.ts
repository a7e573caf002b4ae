import type { GateInputs, RecordedEvent } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';
import { ruleSetDocumentId } from '../rule-sets/rule-set.projection.ts';

/** Kinds of difference kept apart in one partition; what comes after is counted together. */
const CHANGES_MAX = 200;
/** Dispatches named for each kind, the first ones: enough to look at. */
const SAMPLES_MAX = 5;
const MORE = 'more-kinds';

/** Decisions that would have been another one, by what was decided, what would have been and the rule that did it. */
export interface ShadowChange {
  readonly verdict: GateInputs['verdict'];
  readonly would: GateInputs['verdict'];
  /** First reason of the stricter of the two. */
  readonly code: string;
  readonly ref?: string;
  readonly decisions: number;
  /** Ids of dispatches. */
  readonly samples: readonly string[];
}

/** What one version in shadow would have changed, as far as one partition of dispatch.events tells. */
export interface ShadowTallyDocument extends ProjectedDocument {
  /** Id of the version's document in `rule_sets`. */
  readonly version: string;
  readonly decisions: number;
  readonly changes: readonly ShadowChange[];
}

/** Decisions, not dispatches: one that is looked at three times counts three times. */
export const shadowTallyFold: Fold<ShadowTallyDocument> = {
  collection: 'shadow_tallies',
  topics: ['dispatch.events'],
  indexes: [{ version: 1 }],
  idsOf: (event) => {
    const version = versionOf(event);
    return version === undefined ? [] : [`${version}|${event.position.partition}`];
  },
  evolve: (document, event, id) => {
    const version = versionOf(event);
    if (version === undefined) return document;
    const before = document ?? { _id: id, version, decisions: 0, changes: [] };
    const change = changeOf(event);
    const changes = change === undefined ? before.changes : addChange(before.changes, change);
    return { ...before, decisions: before.decisions + 1, changes };
  },
};

/** Adds up what the partitions tell. */
export function sumOfTallies(
  tallies: readonly ShadowTallyDocument[],
): Pick<ShadowTallyDocument, 'decisions' | 'changes'> {
  let changes: readonly ShadowChange[] = [];
  for (const tally of tallies) for (const change of tally.changes) changes = addChange(changes, change);
  return {
    decisions: tallies.reduce((sum, { decisions }) => sum + decisions, 0),
    changes: [...changes].sort((a, b) => b.decisions - a.decisions),
  };
}

function gateOf(event: RecordedEvent): GateInputs | undefined {
  switch (event.type) {
    case 'dispatch.attempt-intended.v1':
    case 'dispatch.planned.v1':
    case 'dispatch.held.v1':
    case 'dispatch.refused.v1':
      return event.data.gate;
    default:
      return undefined;
  }
}

function versionOf(event: RecordedEvent): string | undefined {
  const [ruleSetId, version] = gateOf(event)?.shadow?.ruleSet.split('@') ?? [];
  return ruleSetId === undefined || version === undefined
    ? undefined
    : ruleSetDocumentId(event.tenant, ruleSetId, version);
}

function changeOf(event: RecordedEvent): ShadowChange | undefined {
  const gate = gateOf(event);
  if (gate?.shadow === undefined || !('dispatchId' in event.data)) return undefined;
  const { verdict, shadow } = gate;
  const until = event.type === 'dispatch.planned.v1' ? event.data.dueAt : undefined;
  if (verdict === shadow.verdict && (verdict !== 'hold' || until === shadow.until)) return undefined;
  const actual = 'reasons' in event.data ? event.data.reasons[0] : undefined;
  const decisive = shadow.verdict === 'allow' ? actual : shadow;
  return {
    verdict,
    would: shadow.verdict,
    code: decisive?.code ?? 'unknown',
    ...(decisive?.ref === undefined ? {} : { ref: decisive.ref }),
    decisions: 1,
    samples: [event.data.dispatchId],
  };
}

function addChange(changes: readonly ShadowChange[], more: ShadowChange): readonly ShadowChange[] {
  const known = changes.find((change) => isSameKind(change, more));
  if (known === undefined) {
    if (changes.length < CHANGES_MAX) return [...changes, more];
    const { ref: _ref, ...rest } = more;
    return more.code === MORE ? [...changes, more] : addChange(changes, { ...rest, code: MORE });
  }
  const samples = [...new Set([...known.samples, ...more.samples])].slice(0, SAMPLES_MAX);
  const sum = { ...known, decisions: known.decisions + more.decisions, samples };
  return changes.map((change) => (change === known ? sum : change));
}

function isSameKind(a: ShadowChange, b: ShadowChange): boolean {
  return a.verdict === b.verdict && a.would === b.would && a.code === b.code && a.ref === b.ref;
}
