// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { movedTo } from './old-traces';

const moved = (href: string) => {
  const to = movedTo(new URL(href, 'http://weft'));
  return to && [to.pathname, Object.fromEntries(to.searchParams)];
};

describe('addresses of the list of traces', () => {
  it('lead to the search, which follows as the list did', () => {
    expect(moved('/traces')).toEqual(['/search', { live: 'on' }]);
    expect(moved('/traces/?live=off&tz=utc&range=15m')).toEqual(['/search', { tz: 'utc', range: '15m' }]);
  });
  it('ask of whole traces what their filters asked', () => {
    expect(moved('/traces?service=web&operation=GET+%22x%22&status=died&min_duration=10ms&max_duration=2s&limit=200&range=all')).toEqual(['/search', {
      q: '{ resource.service.name = "web" && name = "GET \\"x\\"" } && { traceDuration >= 10ms && traceDuration <= 2s } && { status = died }', range: '365d', limit: '500', live: 'on',
    }]);
    expect(moved('/traces?status=ok')).toMatchObject(['/search', { q: expect.stringContaining('parent = nil') as string }]);
  });
  it('keep their time, which was all of it unless they told another', () => {
    expect(moved('/traces?live=off')).toEqual(['/search', { range: '365d' }]);
    expect(moved('/traces?status=error')).toMatchObject(['/search', { range: '365d' }]);
    expect(moved('/traces?status=error&from=1000&to=9000')).toEqual(['/search', { q: '{ status = error }', from: '1000', to: '9000', live: 'on' }]);
  });
  it('drop what nobody could choose', () => expect(moved('/traces?status=purple&min_duration=fast&limit=many')).toEqual(['/search', { live: 'on' }]));
  it('are no others', () => expect(moved('/trace/abc') ?? moved('/search?q=x')).toBeUndefined());
});
