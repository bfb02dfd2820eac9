// SPDX-License-Identifier: Apache-2.0
/* The page's icons: 16 by 16, drawn with one stroke. They never stand without a text or a label. */

const PATHS = {
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM14 14l-3.4-3.4',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7Z',
  auto: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5h3.500M8 8h6M8 11h3.500',
  copy: 'M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3',
  check: 'M3 8.500 6.500 12 13 4.500',
  close: 'M3.500 3.500l9 9M12.500 3.500l-9 9',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M5 3.200v9.600L12.500 8z',
  warn: 'M8 2 15 14H1ZM8 6.500v3.500M8 12v.1',
  bang: 'M8 2v7.500M8 13.500v.1',
  open: 'M2 12 6 4M6.500 12l4-8M11 12l4-8',
  broken: 'M2 8h4M10 8h4M6 5v6M10 5v6',
  link: 'M6.500 9.500l3-3M7 4.500l1.500-1.500a3.200 3.200 0 0 1 4.500 4.500L11.500 9M9 11.500 7.500 13A3.200 3.200 0 0 1 3 8.500L4.500 7',
  unplugged: 'M2 14l3-3M11 5l3-3M4.500 8.500 3.500 9.500a2.800 2.800 0 0 0 3 3l1-1M11.500 7.500l1-1a2.800 2.800 0 0 0-3-3l-1 1M6 8l2 2M9 5.500l1.500 1.500',
  eye: 'M1.500 8C4 3.500 12 3.500 14.500 8 12 12.500 4 12.500 1.500 8ZM8 9.800a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600',
  threads: 'M1.500 4h6M10.500 4h4M1.500 8h2M6.500 8h8M1.500 12h8M12.500 12h2',
  fold: 'M4 6l4 4 4-4',
  left: 'M10 3 5 8l5 5',
  right: 'M6 3l5 5-5 5',
  plus: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM14 14l-3.4-3.4M5 7h4M7 5v4',
  minus: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM14 14l-3.4-3.4M5 7h4',
  key: 'M5.500 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM7.700 7.800 13.500 2M11 4.500l2 2',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
