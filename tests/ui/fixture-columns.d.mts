// SPDX-License-Identifier: Apache-2.0
export function inTreeOrder<Span>(spans: readonly Span[]): Span[];
export function traceColumns(trace: { spans: readonly unknown[]; [key: string]: unknown }): Buffer;
