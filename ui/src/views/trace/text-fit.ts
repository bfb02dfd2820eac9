// SPDX-License-Identifier: Apache-2.0
/*
 * Text on a canvas, measured once and cut to fit. Names repeat, so the cache makes a scrolled
 * frame cost look-ups only. Control and bidirectional marks are shown as a dot: they
 * could otherwise turn the rest of a row around.
 */

const MOST_KEPT = 4000;
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export interface TextFit {
  width(ctx: CanvasRenderingContext2D, text: string): number;
  /** `text` if it fits into `room` pixels, else as much as does and an ellipsis; '' if nothing does. */
  fit(ctx: CanvasRenderingContext2D, text: string, room: number): string;
  clear(): void;
}

export const printable = (text: string) => text.replace(UNPRINTABLE, '·');

export function createTextFit(): TextFit {
  const widths = new Map<string, number>();

  const width = (ctx: CanvasRenderingContext2D, text: string) => {
    const key = `${ctx.font}\n${text}`;
    let known = widths.get(key);
    if (known === undefined) {
      known = ctx.measureText(text).width;
      if (widths.size > MOST_KEPT) widths.clear();
      widths.set(key, known);
    }
    return known;
  };

  return {
    width,
    fit: (ctx, text, room) => {
      if (room < 14) return '';
      const short = text.length > 200 ? text.slice(0, 200) : text;
      if (short === text && width(ctx, text) <= room) return text;
      let low = 0;
      let high = short.length;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (width(ctx, `${short.slice(0, middle)}…`) <= room) low = middle;
        else high = middle - 1;
      }
      return low === 0 ? '' : `${short.slice(0, low).trimEnd()}…`;
    },
    clear: () => widths.clear(),
  };
}
