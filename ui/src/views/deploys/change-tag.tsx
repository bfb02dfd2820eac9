// SPDX-License-Identifier: Apache-2.0
/* A verdict in a word: its tone in colour, and in the word. */
import type { Change } from '../../api/deploys';
import { changeWord } from '../../model/verdict';

const TONES: Record<Change, string> = { worse: 'bad', better: 'good', different: 'warn', none: '', unknown: '' };

export const ChangeTag = ({ change }: { change: Change }) => <span class={`tag ${TONES[change]}`}>{changeWord(change)}</span>;
