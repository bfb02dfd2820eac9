// SPDX-License-Identifier: Apache-2.0
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { asApiError, isAbort, type ApiError } from '../../api/error';
import { loadTrace, type LoadedTrace } from '../../api/trace-loader';
import { ErrorState } from '../../components/states';
import type { Zoom } from '../../routes/routes';

export function TraceView({ traceId }: { traceId: string; spanId: string; zoom: Zoom | undefined }) {
  const trace = useSignal<LoadedTrace | undefined>(undefined);
  const error = useSignal<ApiError | undefined>(undefined);
  useEffect(() => {
    const control = new AbortController();
    loadTrace(traceId, control.signal)
      .then((loaded) => (trace.value = loaded))
      .catch((caught: unknown) => {
        if (!isAbort(caught)) error.value = asApiError(caught);
      });
    return () => control.abort();
  }, [traceId]);
  if (error.value) return <ErrorState error={error.value} retry={() => window.location.reload()} />;
  return <p>{trace.value ? `${trace.value.columns.count} spans` : 'Loading…'}</p>;
}
