/** The same object with other members in place of some; the rest is the object's own. */
export function altered<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      const owner: object = Object.hasOwn(members, key) ? members : target;
      const value: unknown = Reflect.get(owner, key, owner);
      return typeof value === 'function' ? value.bind(owner) : value;
    },
  });
}
