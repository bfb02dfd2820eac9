// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { lossSentence, processName } from './losses';

const processes = [{ service: 'cell', instance: 'c2-0' }, { service: 'web', pid: 12 }];

describe('a loss in words', () => {
  it('says who lost how many where and why', () => {
    expect(lossSentence({ process: 0, place: 'service', reason: 'ring_full', count: 17 }, processes)).toBe(
      'cell c2-0 lost 17 spans here: ring_full',
    );
  });
  it('names the place if it is not the service', () => {
    expect(lossSentence({ process: 1, place: 'spool', reason: 'spool_full', count: 1 }, processes)).toBe(
      "web (pid 12) lost 1 span in the agent's spool: spool_full",
    );
  });
  it('knows neither place nor process by heart', () => {
    expect(lossSentence({ process: 9, place: 'moon', reason: 'far', count: 2 }, processes)).toBe('an unknown process lost 2 spans in moon: far');
  });
  it('says as much as is known where the process is not', () => {
    const loss = { place: 'spool', reason: 'spool_full', count: 3 };
    expect(lossSentence({ ...loss, agent: 'box7' }, [])).toBe("agent box7 lost 3 spans in the agent's spool: spool_full");
    expect(lossSentence({ ...loss, service: 'cell', agent: 'box7' }, [])).toMatch(/^cell lost/);
  });
  it('does not say a service twice', () => expect(processName({ service: 'web', instance: 'web-1' })).toBe('web-1'));
});
