// What differs between two texts, word by word: the longest common subsequence.

export interface Piece {
  kind: "same" | "gone" | "new";
  text: string;
}

export function diff(old: string, now: string): Piece[] {
  const [from, to] = [words(old), words(now)];
  const length = Array.from({ length: from.length + 1 }, () => new Array<number>(to.length + 1).fill(0));
  const at = (i: number, j: number): number => length[i]?.[j] ?? 0;
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      (length[i] as number[])[j] = from[i] === to[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pieces: Piece[] = [];
  const push = (kind: Piece["kind"], text: string | undefined): void => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += text ?? "";
    else pieces.push({ kind, text: text ?? "" });
  };
  let [i, j] = [0, 0];
  while (i < from.length || j < to.length) {
    if (i < from.length && j < to.length && from[i] === to[j]) {
      push("same", from[i++]);
      j++;
    } else if (i < from.length && (j >= to.length || at(i + 1, j) >= at(i, j + 1))) push("gone", from[i++]);
    else push("new", to[j++]);
  }
  return pieces;
}

/** Words and signs, each with the space before it. */
const words = (text: string): string[] => text.match(/\s*(?:[\p{L}\p{M}\p{N}'’]+|[^\s])/gu) ?? [];
