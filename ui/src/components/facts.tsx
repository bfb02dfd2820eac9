// SPDX-License-Identifier: Apache-2.0
/* A strip of figures, each with its name above and a word below; a place is there before its figure is. */
import type { ComponentChildren } from 'preact';
import './facts.css';

export function Facts({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="fact-strip" role="group" aria-label={label}>
      {children}
    </div>
  );
}

export function Fact(props: { label: string; bad?: boolean; under?: ComponentChildren; children: ComponentChildren }) {
  return (
    <dl class={props.bad ? 'bad' : ''}>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
      <dd class="under">{props.under}</dd>
    </dl>
  );
}
