// SPDX-License-Identifier: Apache-2.0
/*
 * Text that tries: markup and script that would set window.__pwned, ten languages, text that runs from right to left,
 * marks that pile up, and text of four kilobytes. Everything that a stranger can name has some of it.
 */

export const SCRIPT = '<script>window.__pwned = 1</script>';
export const IMAGE = '<img src=x onerror="window.__pwned=2">';
export const BREAKOUT = '"\'></title></textarea></style><svg onload=window.__pwned=3>';
export const TEMPLATE = '{{constructor.constructor("window.__pwned=4")()}} ${window.__pwned=5} javascript:window.__pwned=6';
export const LANGUAGES = {
  Arabic: 'مرحبا بالعالم من خدمة الدفع', Hebrew: 'שלום עולם מהשירות', Chinese: '世界你好，订单服务', Japanese: 'こんにちは世界', Korean: '안녕하세요 세계',
  Hindi: 'नमस्ते दुनिया', Thai: 'สวัสดีชาวโลก', Russian: 'Привет, мир', Greek: 'Γειά σου Κόσμε', Vietnamese: 'Chào thế giới nhé',
};
export const EMOJI = '👩🏽‍🚀👨‍👩‍👧‍👦🏴󠁧󠁢󠁳󠁣󠁴󠁿';
export const PILED = `Z${'\u0335\u0321\u0327\u0354\u0301'.repeat(12)}algo`;
/* Shows as "invoice exe.gpj" where the control character is obeyed. */
export const REVERSED = 'invoice \u202egpj.exe';
export const WIDE = 'a-name-that-does-not-break-'.repeat(12);
export const FOUR_KIB = 'x<y&z"'.repeat(683).slice(0, 4096);

export const SERVICES = [`${IMAGE}`, LANGUAGES.Arabic, `${LANGUAGES.Japanese} ${EMOJI}`, WIDE];
export const VERSION = `1.0${SCRIPT}`;

const text = (key, value) => ({ key, value: { stringValue: value } });
const id = (number, digits) => number.toString(16).padStart(digits, '0');
export const traceId = (number) => id(0xbad0000 + number, 32);

/** Resource spans of one trace: a request through all services, with each kind of text in each place. */
export function hostileTrace(number, startMs) {
  const startNs = BigInt(Math.round(startMs)) * 1_000_000n;
  const names = [`GET /${SCRIPT}`, `${LANGUAGES.Hebrew} ${REVERSED}`, `${PILED} ${EMOJI} ${BREAKOUT}`, WIDE];
  return SERVICES.map((service, n) => ({
    resource: {
      attributes: [
        text('service.name', service), text('service.version', VERSION), text('weft.cell', LANGUAGES.Greek), text('host.name', `${IMAGE}.example`), text(`resource ${SCRIPT}`, TEMPLATE),
      ],
    },
    scopeSpans: [{
      spans: [{
        traceId: traceId(number), spanId: id(number * 16 + n + 1, 16), parentSpanId: n === 0 ? '' : id(number * 16 + n, 16), name: names[n], kind: 2,
        startTimeUnixNano: String(startNs + BigInt(n) * 2_000_000n), endTimeUnixNano: String(startNs + BigInt(40 - n * 4 + (number % 7)) * 1_000_000n),
        status: n === 2 ? { code: 2, message: `${SCRIPT} ${LANGUAGES.Arabic}` } : {},
        attributes: [
          text('four.kib', FOUR_KIB), text(IMAGE, BREAKOUT), text('template', TEMPLATE), text(LANGUAGES.Arabic, LANGUAGES.Hebrew), text('reversed', REVERSED), text('peer.service', IMAGE),
          ...Object.entries(LANGUAGES).map(([name, value]) => text(name, value)),
        ],
        events: [{ timeUnixNano: String(startNs + 3_000_000n), name: `exception ${SCRIPT}`, attributes: [text('exception.message', IMAGE), text(PILED, FOUR_KIB)] }],
        links: [{ traceId: traceId(number + 1), spanId: id(1, 16), attributes: [text(SCRIPT, IMAGE)] }],
      }],
    }],
  }));
}

export const DASHBOARD = {
  title: `${IMAGE} ${LANGUAGES.Arabic} ${REVERSED}`, description: `${SCRIPT} ${WIDE}`, marks: ['deploy', 'note'],
  panels: [
    { title: `${SCRIPT} ${EMOJI}`, note: BREAKOUT, kind: 'lines', queries: [{ query: 'sum by (service_name) (rate(traces_span_metrics_calls_total[1m]))', legend: '{{service_name}} <b>legend</b>' }] },
    { title: WIDE.slice(0, 120), kind: 'stacked', width: 4, queries: [{ query: 'sum by (span_name) (rate(traces_span_metrics_calls_total[1m]))' }] },
    { title: LANGUAGES.Hebrew, kind: 'deploys', width: 4, height: 240 },
    { title: PILED, kind: 'phases', width: 4, height: 240 },
  ],
};

export const MARKS = [
  { kind: 'deploy', title: `${IMAGE} ${VERSION}`, service: SERVICES[0], version: VERSION, previous: BREAKOUT, cell: LANGUAGES.Greek },
  { kind: 'note', title: `${SCRIPT} ${LANGUAGES.Arabic} ${WIDE}`, service: SERVICES[1], text: IMAGE },
];
