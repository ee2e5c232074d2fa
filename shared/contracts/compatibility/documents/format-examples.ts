/**
 * Text of every format that a wire schema names, plain examples first, then the corners on which readers
 * differ. Proposals: whoever uses one asks the schema, which often has a pattern beside the format.
 */
import fc from "fast-check";

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "date-time": [
    "2024-01-31T12:00:00Z",
    "2024-02-29T23:59:59.999Z",
    "2024-01-31T12:00:00+02:00",
    "2024-01-31T12:00Z",
    "2016-12-31T23:59:60Z",
    "2024-01-31t12:00:00z",
    "2024-01-31T12:00:00",
  ],
  date: ["2024-01-31", "2024-02-29", "0001-01-01"],
  time: ["12:00:00Z", "23:59:59.999Z", "12:00:00+02:00", "12:00:00", "12:00"],
  duration: ["P1D", "PT1H30M", "P1Y2M3DT4H5M6S", "P2W", "PT0.5S"],
  email: ["a@example.com", "first.last+tag@mail.example.org", "a@localhost", '"a b"@example.com'],
  "idn-email": ["a@example.com", "ä@example.com"],
  hostname: ["example.com", "localhost", "a-b.example.org", "xn--mnchen-3ya.de"],
  uuid: [
    "01890a5d-ac96-774b-bcce-b302099a8057",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "f47ac10b-58cc-0372-0567-0e02b2c3d479",
    "urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479",
  ],
  uri: ["https://example.com/a?b=c#d", "http://localhost:8080", "mailto:a@example.com", "urn:a:b"],
  "uri-reference": ["/a/b", "https://example.com", "#a", ""],
  "uri-template": ["/a/{b}", "/a"],
  "json-pointer": ["/a/0", "", "/a~1b"],
  "relative-json-pointer": ["0", "1/a", "2#"],
  regex: ["^a+$", "a|b"],
  ipv4: ["192.0.2.1", "0.0.0.0", "255.255.255.255"],
  ipv6: ["2001:db8::1", "::", "::ffff:192.0.2.1", "2001:0db8:0000:0000:0000:0000:0000:0001"],
  cidrv4: ["192.0.2.0/24", "0.0.0.0/0"],
  cidrv6: ["2001:db8::/32", "::/0"],
  mac: ["00:00:5e:00:53:01", "00:00:5E:00:53:01"],
  base64: ["", "aGk=", "aGVsbG8h", "+/+/"],
  base64url: ["", "aGk", "-_-_"],
  e164: ["+4930123456", "+1234567"],
  emoji: ["😀", "👍🏽"],
  ulid: ["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
  cuid: ["cjld2cjxh0000qzrmn831i7rn"],
  cuid2: ["tz4a98xxat96iws9zmbrgj3a"],
  nanoid: ["V1StGXR8_Z5jdHi6B-myT"],
  ksuid: ["0ujsswThIGTUYm2K8FjOOfXtY1K"],
  xid: ["9m4e2mr0ui3e8a215n4g"],
};

/** Names under which a format goes by as well. */
const SAME: Readonly<Record<string, string>> = {
  guid: "uuid",
  url: "uri",
  "iso-date-time": "date-time",
  "iso-time": "time",
};

/** Of an unknown format none. */
export function examplesOf(format: string): readonly string[] {
  return EXAMPLES[SAME[format] ?? format] ?? [];
}

/** Plain examples, one of each format: text that a rule for one format should refuse of the others. */
export const ONE_OF_EACH: readonly string[] = Object.values(EXAMPLES).flatMap((examples) =>
  examples.slice(0, 1),
);

const known = new Map<string, fc.Arbitrary<string> | null>();

/** Random text of a format, where there is any; else `null`. Kept, because fast-check takes long over some. */
export function randomTextOf(format: string): fc.Arbitrary<string> | null {
  const name = SAME[format] ?? format;
  if (EXAMPLES[name] === undefined) return null;
  const before = known.get(name);
  if (before !== undefined) return before;
  const made = madeTextOf(name);
  known.set(name, made);
  return made;
}

function madeTextOf(format: string): fc.Arbitrary<string> | null {
  switch (format) {
    case "date-time":
      return fc.tuple(days(), times()).map(([day, time]) => `${day}T${time}`);
    case "date":
      return days();
    case "time":
      return times();
    case "email":
      return fc.emailAddress({ size: "xsmall" });
    case "uuid":
      return fc.uuid();
    case "uri":
      return webAddresses();
    case "hostname":
      return fc.domain({ size: "xsmall" });
    case "ipv4":
      return fc.ipV4();
    case "ipv6":
      return fc.ipV6();
    default:
      return null;
  }
}

/** Only days that every month has. */
function days(): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.integer({ min: 1900, max: 2100 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
    )
    .map(([year, month, day]) => `${year}-${twoDigits(month)}-${twoDigits(day)}`);
}

/** Plain ones; those of fast-check take it half a second to think of. */
function webAddresses(): fc.Arbitrary<string> {
  const word = fc.constantFrom("a", "b-c", "d_e", "%20", "7", "index.html");
  return fc
    .tuple(fc.constantFrom("https", "http"), fc.domain({ size: "xsmall" }), fc.array(word, { maxLength: 3 }))
    .map(([scheme, host, path]) => `${scheme}://${host}/${path.join("/")}`);
}

function times(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.constantFrom("", ".5", ".123", ".123456"))
    .map(([hour, minute, second, part]) => `${[hour, minute, second].map(twoDigits).join(":")}${part}Z`);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
