import { expect, it } from 'vitest';
import { CLOSED_POLICY, escapeHtml, htmlPage, scriptJson } from '../../src/page/html.ts';

it('leaves no character that could end a text or an attribute', () => {
  expect(escapeHtml(`<script>"a" & 'b'</script>`)).toBe(
    '&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;',
  );
});

it('writes data that cannot end the script it stands in, and reads back the same', () => {
  const value = { text: '</script><!-- <script> \u2028\u2029', n: 1 };
  const text = scriptJson(value);
  expect(text).not.toMatch(/[<\u2028\u2029]/);
  expect(JSON.parse(text)).toEqual(value);
});

it('escapes the title and states what the page may load', () => {
  const html = htmlPage({ title: '<b>', style: '', policy: CLOSED_POLICY, body: '<p>x</p>' });
  expect(html).toContain('<title>&lt;b&gt;</title>');
  expect(html).toContain('content="default-src &#39;none&#39;;');
  expect(html).toContain('<html lang="en">');
});
