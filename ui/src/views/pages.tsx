// SPDX-License-Identifier: Apache-2.0
/*
 * The pages whose state is their own, each fetched when it is first opened: what the first one
 * needs is all that is loaded at the start.
 */
import type { ComponentType } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ApiError } from '../api/error';
import { FILES_MISSING, FILES_UNREACHABLE, renewWhenBack } from '../api/renew';
import { ErrorState } from '../components/states';
import type { Page } from '../routes/routes';

export interface PageProps {
  id: string;
  query: URLSearchParams;
}

interface Entry {
  title: string;
  load: () => Promise<ComponentType<PageProps>>;
}

export const ENTRIES: Record<Page, Entry> = {
  overview: { title: 'Overview', load: async () => (await import('./overview/overview')).default },
  search: { title: 'Search', load: async () => (await import('./search/search')).default },
  graph: { title: 'Graph', load: async () => (await import('./graph/graph')).default },
  services: { title: 'Services', load: async () => (await import('./services/services')).default },
  dashboards: { title: 'Dashboards', load: async () => (await import('./dashboards/dashboards')).default },
  deploys: { title: 'Deploys', load: async () => (await import('./deploys/deploys')).default },
  caches: { title: 'Caches', load: async () => (await import('./caches/caches')).default },
};

const loaded = new Map<Page, ComponentType<PageProps>>();

export function PageView({ page, id, query }: PageProps & { page: Page }) {
  const entry = ENTRIES[page];
  const arrived = useSignal(0);
  const failure = useSignal<ApiError | undefined>(undefined);
  useEffect(() => {
    if (loaded.has(page)) return;
    let stop = () => {};
    let left = false;
    entry.load().then(
      (component) => {
        loaded.set(page, component);
        arrived.value++;
      },
      () => {
        if (left) return;
        failure.value = FILES_UNREACHABLE;
        stop = renewWhenBack(() => (failure.value = FILES_MISSING));
      },
    );
    return () => {
      left = true;
      stop();
    };
  }, [page]);
  if (failure.value !== undefined) return <ErrorState error={failure.value} retry={() => window.location.reload()} />;
  const Component = arrived.value >= 0 ? loaded.get(page) : undefined;
  return Component ? <Component key={id} id={id} query={query} /> : <div class="skeleton page-skeleton" aria-busy="true" />;
}
