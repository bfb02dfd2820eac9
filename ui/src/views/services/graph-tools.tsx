// SPDX-License-Identifier: Apache-2.0
/* What of the graph is shown: around a node that is searched for, or all of it. All of it lies in the address. */
import { useSignal } from '@preact/signals';
import { Segments } from '../../components/parts';
import { nodeNamed, type Reach, type Scope, type ServiceGraph } from '../../model/service-graph';
import { hrefWith, navigate } from '../../routes/location';

export const reachFrom = (text: string | null): Reach | undefined => (text === 'all' ? 'all' : text === '1' ? 1 : text === '2' ? 2 : undefined);

export function GraphTools({ graph, scope }: { graph: ServiceGraph; scope: Scope }) {
  const text = useSignal('');
  const wrong = useSignal(false);
  const names = [...new Set(graph.nodes.map(({ name }) => name))].sort();
  const find = () => {
    const typed = text.value.trim();
    if (typed === '') return;
    const lower = typed.toLowerCase();
    const found = names.find((name) => name === typed) ?? names.find((name) => name.toLowerCase().startsWith(lower)) ?? names.find((name) => name.toLowerCase().includes(lower));
    wrong.value = found === undefined;
    if (found === undefined) return;
    text.value = '';
    navigate(hrefWith({ focus: found }));
  };
  /* What begins without a node in the middle goes around the busiest. */
  const show = (reach: string) => navigate(hrefWith({ reach, focus: scope.focal || undefined }));
  return (
    <span class="graph-tools">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          find();
        }}
      >
        <input
          class="field" type="search" list="graph-names" aria-label="Find a service in the graph" placeholder="Find a service" aria-invalid={wrong.value}
          title={wrong.value ? 'Nothing in this graph is named so' : undefined} autocomplete="off" spellcheck={false} value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            wrong.value = false;
            if (nodeNamed(graph, text.value) && event instanceof InputEvent && event.inputType === 'insertReplacementText') find();
          }}
        />
        <datalist id="graph-names">
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </form>
      <Segments
        name="reach" legend="How much of the graph is shown" value={String(scope.reach)} onChange={show}
        choices={[{ value: '1', label: 'Neighbours' }, { value: '2', label: 'Two calls' }, { value: 'all', label: 'All' }]}
      />
    </span>
  );
}
