import { expect, test } from 'vitest';
import { Roster, type RosterMember } from '../../src/index.ts';

test('a roster holds what was added and not deleted, in any order of both', () => {
  const roster = new Roster<RosterMember & { readonly name: number }>();
  const members = Array.from({ length: 100 }, (_, name) => ({ name, place: -1 }));
  for (const member of members) roster.add(member);
  for (const member of [...members].sort((one, other) => ((one.name * 37) % 100) - ((other.name * 37) % 100))) {
    expect(roster.has(member)).toBe(true);
    roster.delete(member);
    expect(roster.has(member)).toBe(false);
    expect(roster.all.every((other) => roster.has(other))).toBe(true);
  }
  expect(roster.size).toBe(0);
});

test('deleting a member twice, or one of another roster, changes nothing', () => {
  const [roster, other] = [new Roster<RosterMember>(), new Roster<RosterMember>()];
  const [one, two, stranger] = [{ place: -1 }, { place: -1 }, { place: -1 }];
  roster.add(one);
  roster.add(two);
  other.add(stranger);
  roster.delete(one);
  roster.delete(one);
  roster.delete(stranger);
  expect(roster.all).toEqual([two]);
  expect(other.has(stranger)).toBe(true);
});

test('what all gives is not changed by what is deleted while it is gone through', () => {
  const roster = new Roster<RosterMember>();
  const members = [{ place: -1 }, { place: -1 }, { place: -1 }];
  for (const member of members) roster.add(member);
  for (const member of roster.all) roster.delete(member);
  expect(roster.size).toBe(0);
});
