// SPDX-License-Identifier: Apache-2.0
/* Everything that was lost, anywhere, since the ledger begins: where, why, how much. */
import type { Loss } from '../../api/wire';
import { Ago, ServiceName } from '../../components/parts';
import { State } from '../../components/states';
import { formatCount } from '../../model/format';
import { placeInWords } from '../../model/losses';

const keyOf = (loss: Loss) => [loss.place, loss.reason, loss.agent, loss.service].join('\n');

function Row({ loss }: { loss: Loss }) {
  return (
    <tr>
      <td class="number lost">{formatCount(loss.count)}</td>
      <th scope="row">
        <span class="mono">{loss.reason}</span>
        {loss.explanation && <span class="explanation">{loss.explanation}</span>}
      </th>
      <td>{placeInWords(loss.place)}</td>
      <td>{loss.service ? <ServiceName name={loss.service} /> : <span class="muted">–</span>}</td>
      <td class="clip">{loss.agent ?? <span class="muted">–</span>}</td>
      <td>{loss.first_unix_ns ? <Ago unixNs={loss.first_unix_ns} suffix=" ago" /> : '–'}</td>
      <td>{loss.last_unix_ns ? <Ago unixNs={loss.last_unix_ns} suffix=" ago" /> : '–'}</td>
    </tr>
  );
}

export function LossesTable({ losses }: { losses: readonly Loss[] }) {
  if (losses.length === 0) {
    return (
      <section class="sheet">
        <h2>Losses</h2>
        <State icon="check" title="Nothing was lost.">
          <p>Every span that was recorded since the ledger begins has arrived here.</p>
        </State>
      </section>
    );
  }
  const total = losses.reduce((sum, { count }) => sum + count, 0);
  return (
    <section class="sheet">
      <h2>
        Losses <span class="total">{formatCount(total)}</span>
      </h2>
      <div class="table-box" tabIndex={0} role="region" aria-label="Losses">
        <table class="losses">
          <thead>
            <tr>
              <th scope="col" class="number">Lost</th>
              <th scope="col">Reason</th>
              <th scope="col">Where</th>
              <th scope="col">Service</th>
              <th scope="col">Agent</th>
              <th scope="col">First</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {[...losses].sort((a, b) => b.count - a.count).map((loss) => (
              <Row key={keyOf(loss)} loss={loss} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
