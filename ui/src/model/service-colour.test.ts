// SPDX-License-Identifier: Apache-2.0
/* The palette is in tokens.css; these tests read it there. */
import { describe, expect, it } from 'vitest';
import tokens from '../tokens.css?raw';
import { SERVICE_COLOURS, serviceColour } from './service-colour';

type Triple = readonly [number, number, number];

/** The light or dark value of a token, in linear light. */
function token(name: string, theme: 'light' | 'dark'): Triple {
  const match = new RegExp(`--${name}: light-dark\\(#(\\w{6}), #(\\w{6})\\)`).exec(tokens);
  const hex = match?.[theme === 'light' ? 1 : 2];
  if (!hex) throw new Error(`no --${name} in tokens.css`);
  const linear = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [linear(0), linear(2), linear(4)];
}

const luminance = ([r, g, b]: Triple) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function contrast(a: Triple, b: Triple): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function oklab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/* Machado, Oliveira, Fernandes 2009, severity 1. */
const SIGHTS: Record<string, readonly Triple[]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

function seen(colour: Triple, sight: readonly Triple[]): Triple {
  return sight.map((row) => Math.max(0, row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2])) as unknown as Triple;
}

const distance = (a: Triple, b: Triple) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const services = Array.from({ length: SERVICE_COLOURS }, (_, n) => token(`service-${n}`, theme));

  it.each(Object.entries(SIGHTS))('services are told apart with %s', (_, sight) => {
    for (let a = 0; a < services.length; a++) {
      for (let b = 0; b < a; b++) {
        expect(distance(oklab(seen(services[a]!, sight)), oklab(seen(services[b]!, sight)))).toBeGreaterThan(0.05);
      }
    }
  });

  it('bars stand out from their ground', () => {
    for (const colour of services) expect(contrast(colour, token('surface', theme))).toBeGreaterThan(3);
  });

  it.each(['ink', 'ink-2', 'ink-3', 'accent', 'failed', 'open', 'good'])('%s is readable on every surface', (ink) => {
    for (const ground of ['canvas', 'surface', 'raised', 'hover']) {
      expect(contrast(token(ink, theme), token(ground, theme))).toBeGreaterThan(4.5);
    }
  });

  it.each([['failed', 'failed-soft'], ['open', 'open-soft'], ['on-died', 'died'], ['on-accent', 'accent'], ['ink', 'selected'], ['ink-3', 'selected'], ['ink-2', 'sunken']])(
    '%s is readable on %s',
    (ink, ground) => expect(contrast(token(ink, theme), token(ground, theme))).toBeGreaterThan(4.5),
  );

  it('the edges of controls can be seen', () => expect(contrast(token('control', theme), token('surface', theme))).toBeGreaterThan(3));
});

describe('a colour of a name', () => {
  it('is one of the palette, whatever the name', () => {
    for (const name of ['', 'web', '細胞', 'x'.repeat(5000)]) {
      expect(serviceColour(name)).toBeGreaterThanOrEqual(0);
      expect(serviceColour(name)).toBeLessThan(SERVICE_COLOURS);
    }
  });
  it('is its own for each service of the demo', () => {
    const names = ['web', 'firehose', 'cell', 'redis', 'memcached', 'load'];
    expect(new Set(names.map(serviceColour)).size).toBe(names.length);
  });
  it('spreads names over the palette', () => {
    const counts = new Array<number>(SERVICE_COLOURS).fill(0);
    for (let n = 0; n < 800; n++) counts[serviceColour(`service-${n}`)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(50);
  });
});
