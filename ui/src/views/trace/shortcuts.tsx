// SPDX-License-Identifier: Apache-2.0
/* All keys of the trace page, in a dialog: by its button or by "?". */
import { useEffect, useRef } from 'preact/hooks';
import { isTyping } from './keys';

const GROUPS: { title: string; keys: [string, string][] }[] = [
  {
    title: 'Anywhere',
    keys: [
      ['s  w', 'a screen down, up'],
      ['f  b', 'the next, the previous match; without a search, span'],
      ['a  d  ←  →', 'to the earlier, to the later; with Shift farther'],
      ['↑  ↓', 'zoom in, out; with Shift more'],
      ['[  ]', 'unfold, fold everything'],
      ['o  p', 'unfold, fold one level'],
      ['Ctrl+B', 'find spans'],
      ['Esc', 'clear the search, close the details, show the whole time'],
      ['?', 'these keys'],
    ],
  },
  {
    title: 'With the rows in focus',
    keys: [
      ['↑  ↓  PgUp  PgDn', 'move'],
      ['←  →', 'fold and unfold, to the parent and the first child'],
      ['Home  End', 'the first, the last span'],
      ['Enter', 'details'],
      ['+  −  0', 'zoom in, out, show all'],
      ['Shift+←  Shift+→', 'to the earlier, to the later'],
    ],
  },
];

export function Shortcuts() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '?' || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
      event.preventDefault();
      if (dialog.current?.open) dialog.current.close();
      else dialog.current?.showModal();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <button type="button" class="button quiet small" aria-label="Keys" title="Keys (?)" onClick={() => dialog.current?.showModal()}>
        ?
      </button>
      <dialog class="shortcuts" ref={dialog} aria-labelledby="shortcuts-title" onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
        <div>
          <header>
            <h2 id="shortcuts-title">Keys</h2>
            <button type="button" class="button quiet small" onClick={() => dialog.current?.close()}>
              Close
            </button>
          </header>
          {GROUPS.map(({ title, keys }) => (
            <section key={title}>
              <h3>{title}</h3>
              <dl>
                {keys.map(([key, what]) => (
                  <div key={key}>
                    <dt>
                      {key.split('  ').map((each) => (
                        <kbd key={each}>{each}</kbd>
                      ))}
                    </dt>
                    <dd>{what}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </dialog>
    </>
  );
}
