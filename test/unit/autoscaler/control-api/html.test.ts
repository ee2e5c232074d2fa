import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { html } from "#autoscaler/control-api/html";

describe("html", () => {
  test("escapes what is put in, in text and in attributes", () => {
    const hostile = `<script>alert("1")</script> & 'x' \``;
    expect(html`<p title="${hostile}">${hostile}</p>`.toString()).toBe(
      '<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; &#96;">' +
        "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; &#96;</p>",
    );
  });

  test("does not escape its own markup again", () => {
    expect(html`<p>${html`<b>${"<"}</b>`}</p>`.toString()).toBe("<p><b>&lt;</b></p>");
  });

  test("joins lists, escaping each text in them", () => {
    expect(html`${[html`<li>1</li>`, "<", ["&", 2]]}`.toString()).toBe("<li>1</li>&lt;&amp;2");
  });

  test("gives nothing for null and undefined, and shows zero", () => {
    expect(html`[${null}${undefined}${0}]`.toString()).toBe("[0]");
  });

  test("shows characters that hide or turn text as what they are", () => {
    expect(html`${"a\u202Eb\u0000c\u2066d\te\n"}`.toString()).toBe("a\uFFFDb\uFFFDc\uFFFDd\te\n");
  });

  test("takes no object for markup that only looks like one", () => {
    const forged = JSON.parse('{"toString":"<b>"}') as string;
    expect(() => html`${forged}`.toString()).toThrow(TypeError);
  });

  test("lets no text open a tag, an entity of its own or a quote", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const markup = html`${text}`.toString();
        expect(markup).not.toMatch(/[<>"'`]/);
        expect(markup.replaceAll(/&(amp|lt|gt|quot|#39|#96);/g, "")).not.toContain("&");
      }),
    );
  });
});
