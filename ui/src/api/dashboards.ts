// SPDX-License-Identifier: Apache-2.0
/* Dashboards that came with the page and those that people saved: docs/api.md. */
import { readDashboard, writeDashboard, type Dashboard } from '../model/dashboard';
import { getJson, getVersioned, type CallOptions, type Versioned } from './client';
import { ApiError, asApiError } from './error';

export interface Listed {
  name: string;
  shipped: boolean;
  saved: boolean;
}

const path = (name: string) => `/api/v1/dashboards/${encodeURIComponent(name)}`;

export const getDashboards = async (options?: CallOptions): Promise<Listed[]> =>
  (await getJson<{ dashboards: Listed[] }>('/api/v1/dashboards', options)).dashboards;

/** Undefined where there is none of that name. */
export async function getDashboard(name: string, options?: CallOptions): Promise<Versioned<Dashboard> | undefined> {
  let found: Versioned<unknown>;
  try {
    found = await getVersioned<unknown>(path(name), options);
  } catch (error) {
    if (asApiError(error).status === 404) return undefined;
    throw error;
  }
  const value = readDashboard(found.value);
  if (typeof value === 'string') throw new ApiError('refused', `The dashboard ${name} is none: ${value}`);
  return { ...found, value };
}

/** That the dashboard is still the one of this version; `''`: that there is none. Without it: whatever there is. */
const still = (version: string | undefined): Record<string, string> =>
  version === undefined ? {} : version === '' ? { 'If-None-Match': '*' } : { 'If-Match': version };

/** The new version. Somebody else changed it since `version` was read: isStale. */
export const putDashboard = async (name: string, dashboard: Dashboard, version: string | undefined, options?: CallOptions): Promise<string> =>
  (await getVersioned<unknown>(path(name), { ...options, method: 'PUT', body: writeDashboard(dashboard), headers: still(version) })).version;

export const removeDashboard = (name: string, version: string | undefined, options?: CallOptions) =>
  getJson<unknown>(path(name), { ...options, method: 'DELETE', headers: still(version || undefined) });

export const isStale = (error: unknown) => asApiError(error).status === 412;
