// SPDX-License-Identifier: Apache-2.0
/* Alerts that are pending or firing now, as Prometheus' API tells them. */
import { getJson, type CallOptions } from './client';
import type { Labels } from './prom';

export interface Alert {
  labels: Labels;
  annotations: Labels;
  state: 'pending' | 'firing';
  activeAt: string;
  value: string;
}

export const getAlerts = async (options?: CallOptions): Promise<Alert[]> =>
  (await getJson<{ data: { alerts: Alert[] } }>('/api/v1/alerts', options)).data.alerts;
