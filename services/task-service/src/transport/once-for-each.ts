/** The function, but computed once for each object, as long as somebody holds the object. */
export function onceForEach<From extends WeakKey, To>(compute: (from: From) => To): (from: From) => To {
  const known = new WeakMap<From, { readonly value: To }>();
  return (from) => {
    const found = known.get(from) ?? { value: compute(from) };
    known.set(from, found);
    return found.value;
  };
}
