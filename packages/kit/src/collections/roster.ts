/** A member of a {@link Roster}, of one at a time. */
export interface RosterMember {
  /** Its place there; below 0 while it is in none. Only the roster sets it. */
  place: number;
}

/** A set for what comes and goes with every message: adding and removing take constant time and no memory. */
export class Roster<Member extends RosterMember> {
  readonly #members: Member[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** Its members in no particular order, as they are now. */
  get all(): readonly Member[] {
    return [...this.#members];
  }

  has(member: Member): boolean {
    return member.place >= 0 && this.#members[member.place] === member;
  }

  /** Adds one that is in no roster. */
  add(member: Member): void {
    member.place = this.#members.push(member) - 1;
  }

  /** Removes it; one that is not in it is left alone. */
  delete(member: Member): void {
    if (!this.has(member)) return;
    const last = this.#members.pop() as Member;
    if (last !== member) {
      this.#members[member.place] = last;
      last.place = member.place;
    }
    member.place = -1;
  }
}
