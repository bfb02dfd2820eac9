// SPDX-License-Identifier: Apache-2.0
/*
 * The tokens of tokens.css as a canvas needs them: resolved colours, fonts, and the hatch and
 * stripe patterns. Made anew when the theme changes.
 */
import { SERVICE_COLOURS } from '../../model/service-colour';

export interface Palette {
  surface: string;
  hover: string;
  selected: string;
  line: string;
  lineStrong: string;
  ink: string;
  ink2: string;
  ink3: string;
  accent: string;
  failed: string;
  failedSoft: string;
  died: string;
  open: string;
  openSoft: string;
  services: string[];
  hatch: CanvasPattern | string;
  stripes: (CanvasPattern | string)[];
  font: string;
  fontStrong: string;
  fontSmall: string;
}

/** A tile of slanted stripes of `colour` on `ground`; `scale` is the device's pixel ratio. */
function slanted(ctx: CanvasRenderingContext2D, colour: string, ground: string, scale: number): CanvasPattern | string {
  const size = 6;
  const tile = document.createElement('canvas');
  tile.width = tile.height = size * scale;
  const pen = tile.getContext('2d');
  if (!pen) return colour;
  pen.scale(scale, scale);
  pen.fillStyle = ground;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const x of [-size, 0, size]) {
    pen.moveTo(x - 1, size + 1);
    pen.lineTo(x + size + 1, -1);
  }
  pen.stroke();
  const pattern = ctx.createPattern(tile, 'repeat');
  pattern?.setTransform(new DOMMatrix().scale(1 / scale));
  return pattern ?? colour;
}

export function readPalette(ctx: CanvasRenderingContext2D, scale: number): Palette {
  const probe = document.createElement('span');
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const colour = (token: string) => {
    probe.style.color = `var(--${token})`;
    return style.color;
  };
  const services = Array.from({ length: SERVICE_COLOURS }, (_, n) => colour(`service-${n}`));
  const family = style.fontFamily;
  const surface = colour('surface');
  const palette: Palette = {
    surface,
    hover: colour('hover'),
    selected: colour('selected'),
    line: colour('line'),
    lineStrong: colour('line-strong'),
    ink: colour('ink'),
    ink2: colour('ink-2'),
    ink3: colour('ink-3'),
    accent: colour('accent'),
    failed: colour('failed'),
    failedSoft: colour('failed-soft'),
    died: colour('died'),
    open: colour('open'),
    openSoft: colour('open-soft'),
    services,
    hatch: slanted(ctx, colour('died'), colour('failed-soft'), scale),
    stripes: services.map((each) => slanted(ctx, each, surface, scale)),
    font: `12px ${family}`,
    fontStrong: `600 12px ${family}`,
    fontSmall: `11px ${family}`,
  };
  probe.remove();
  return palette;
}
