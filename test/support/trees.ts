import fc from 'fast-check';

/** The limits of random trees. */
export interface TreeSize {
  readonly maxDepth: number;
  /** Of an object. */
  readonly maxKeys: number;
  /** Of a list. */
  readonly maxLength: number;
}

/**
 * Random trees such as JSON has them: scalars, lists and objects.
 *
 * @returns any tree, and objects of trees
 */
export function trees(
  name: fc.Arbitrary<string>,
  scalar: fc.Arbitrary<unknown>,
  { maxDepth, maxKeys, maxLength }: TreeSize,
): { tree: fc.Arbitrary<unknown>; members: fc.Arbitrary<Record<string, unknown>> } {
  return fc.letrec<{ tree: unknown; members: Record<string, unknown> }>((tie) => ({
    members: fc.dictionary(name, tie('tree'), { maxKeys }),
    tree: fc.oneof(
      { maxDepth, withCrossShrink: true },
      scalar,
      tie('members'),
      fc.array(tie('tree'), { maxLength }),
    ),
  }));
}
