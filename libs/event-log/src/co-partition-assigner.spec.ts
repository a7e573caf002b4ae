import { coPartitioned } from './co-partition-assigner.ts';

const twelve = Array.from({ length: 12 }, (_, partition) => partition);

describe('assigning partitions to the members of a group', () => {
  it('gives one member the same numbers of every topic', () => {
    const topics = ['consent.events', 'suppression.events', 'dispatch.policy'];
    const subscriptions = new Map(['c', 'a', 'b'].map((member) => [member, topics]));
    const assignments = coPartitioned(subscriptions, [
      ['consent.events', twelve],
      ['suppression.events', twelve],
      ['dispatch.policy', [0, 1, 2]],
    ]);
    expect(assignments.get('a')).toEqual({
      'consent.events': [0, 3, 6, 9],
      'suppression.events': [0, 3, 6, 9],
      'dispatch.policy': [0],
    });
    expect(assignments.get('c')?.['suppression.events']).toEqual([2, 5, 8, 11]);
  });

  it('assigns every partition exactly once, to nobody when there are more members than partitions', () => {
    const subscriptions = new Map(['a', 'b', 'c', 'd'].map((member) => [member, ['t']]));
    const assignments = coPartitioned(subscriptions, [['t', [0, 1, 2]]]);
    expect([...assignments.values()].flatMap((assignment) => assignment['t'] ?? []).sort()).toEqual([0, 1, 2]);
    expect(assignments.get('d')).toEqual({});
  });

  it('gives a topic only to members that subscribe to it', () => {
    const assignments = coPartitioned(
      new Map([
        ['new', ['old.topic', 'new.topic']],
        ['old', ['old.topic']],
      ]),
      [
        ['new.topic', [0, 1]],
        ['old.topic', [0, 1]],
        ['forgotten.topic', [0]],
      ],
    );
    expect(assignments.get('new')).toEqual({ 'old.topic': [0], 'new.topic': [0, 1] });
    expect(assignments.get('old')).toEqual({ 'old.topic': [1] });
  });
});
