// SPDX-License-Identifier: Apache-2.0
/* Dashboards that came with the page and those that people saved: docs/api.md. */
import { readDashboard, writeDashboard, type Dashboard } from '../model/dashboard';
import { getJson, type CallOptions } from './client';
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
export async function getDashboard(name: string, options?: CallOptions): Promise<Dashboard | undefined> {
  let found: unknown;
  try {
    found = await getJson<unknown>(path(name), options);
  } catch (error) {
    if (asApiError(error).status === 404) return undefined;
    throw error;
  }
  const dashboard = readDashboard(found);
  if (typeof dashboard === 'string') throw new ApiError('refused', `The dashboard ${name} is none: ${dashboard}`);
  return dashboard;
}

export const putDashboard = (name: string, dashboard: Dashboard, options?: CallOptions) =>
  getJson<unknown>(path(name), { ...options, method: 'PUT', body: writeDashboard(dashboard) });

export const removeDashboard = (name: string, options?: CallOptions) => getJson<unknown>(path(name), { ...options, method: 'DELETE' });
