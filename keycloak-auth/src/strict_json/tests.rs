//! What is JSON and what is not, with `serde_json` as the judge.

use std::{
    borrow::Cow,
    collections::HashSet,
    fmt::{self, Write},
    iter,
};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::*;

/// Any value, read by `serde_json`; fails on a duplicate member inside it.
struct Judged;

impl<'de> Deserialize<'de> for Judged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Judged {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("duplicate member"));
            }
            map.next_value::<Self>()?;
        }
        Ok(self)
    }
}

fn accepts(json: &str) -> bool {
    let mut reader = Reader::new(json);
    reader.skip_value().and_then(|()| reader.end()).is_ok()
}

/// The scalar that `json` is.
fn scalar(json: &str) -> Result<Value<'_>, Malformed> {
    let mut reader = Reader::new(json);
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

#[test]
fn refuses_a_member_that_stands_twice_at_any_depth() {
    assert!(accepts(r#"{"a": [1, {"b": null, "c": "x"}], "b": 1.5}"#));
    for json in [
        r#"{"a": 1, "a": 1}"#,
        r#"{"x": [{"a": 1, "a": 2}]}"#,
        r#"{"a": 1, "\u0061": 2}"#,
        r#"{"\u0061": 1, "a": 2}"#,
        r#"{"\u0061": 1, "\u0061": 2}"#,
        r#"{"": 1, "": 2}"#,
    ] {
        assert!(!accepts(json), "{json}");
    }
}

#[test]
fn finds_a_duplicate_among_many_members() {
    let members = |count: usize| (0..count).map(|i| format!(r#""m{i}":0"#)).collect::<Vec<_>>().join(",");
    assert!(accepts(&format!("{{{}}}", members(500))));
    for twice in ["m0", "m7", "m8", "m499"] {
        assert!(!accepts(&format!(r#"{{{},"{twice}":1}}"#, members(500))), "{twice}");
    }
}

#[test]
fn nests_as_deeply_as_serde_json_and_no_deeper() {
    for depth in [126, 127, 128, 129, 300] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
            let json = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(accepts(&json), serde_json::from_str::<Judged>(&json).is_ok(), "{json}");
        }
    }
    assert!(accepts(&format!("{}{}", "[".repeat(127), "]".repeat(127))));
    assert!(!accepts(&format!("{}{}", "[".repeat(128), "]".repeat(128))));
    assert!(!accepts(&"[".repeat(100_000)));
    assert!(!accepts(&r#"{"a":"#.repeat(100_000)));
}

#[test]
fn many_short_arrays_beside_each_other_are_not_deep() {
    assert!(accepts(&format!("[{}[]]", "[],{\"a\":[]},".repeat(300))));
}

#[test]
fn finds_the_end_of_a_string_wherever_it_falls_in_a_word() {
    for before in 0..20 {
        for after in 0..20 {
            let plain = "é\u{7f}~z1".chars().cycle().take(before).collect::<String>();
            let json = format!("\"{plain}\"{}", " ".repeat(after));
            assert_eq!(scalar(&json), Ok(Value::String(Cow::Borrowed(&plain))), "{json:?}");
            for control in ['\0', '\u{1}', '\n', '\u{1f}'] {
                let json = format!("\"{plain}{control}{}\"", "x".repeat(after));
                assert_eq!(scalar(&json), Err(Malformed), "{json:?}");
            }
            let escaped = format!(r#""{plain}\"{}""#, "x".repeat(after));
            let text = format!("{plain}\"{}", "x".repeat(after));
            assert_eq!(scalar(&escaped), Ok(Value::String(Cow::Owned(text))), "{escaped:?}");
        }
    }
}

#[test]
fn reads_numbers_exactly() {
    for (json, value) in [
        ("0", Value::Integer(0)),
        ("999999999999999999", Value::Integer(999_999_999_999_999_999)),
        ("1000000000000000000", Value::Float(1e18)),
        ("-1", Value::Float(-1.0)),
        ("1.5e1", Value::Float(15.0)),
    ] {
        assert_eq!(scalar(json), Ok(value), "{json}");
    }
    for json in [
        "00", "01", "-", "-01", "+1", "1.", ".5", "1e", "1e+", "1.e1", "1e400", "-1e400", "1-2", "0x1", "1_0", "NaN",
        "1.5.2", "1e5e5",
    ] {
        assert_eq!(scalar(json), Err(Malformed), "{json}");
    }
}

/// A small generator of numbers, the same in every run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).expect("31 bits") % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

const STRINGS: [&str; 28] = [
    "",
    "a",
    "b",
    "roles",
    "exp",
    "abcdefg",
    "abcdefgh",
    "abcdefghijklmnopq",
    "ü",
    "日本",
    "🔑",
    "/",
    "\u{7f}",
    r"\u0061",
    r"\n",
    r#"\""#,
    r"\\",
    r"\/",
    r"\ud83d\udd11",
    r"\uD83D",
    r"\udd11",
    r"\ud83dx",
    r"\ud83d\u0041",
    r"\x",
    r"\u12g4",
    r"\u00e9\t",
    "a\tb",
    r"\u0000",
];

const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "7",
    "1767225900",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "0.5",
    "-1.25",
    "1e3",
    "1E-3",
    "1e+2",
    "1e308",
    "1e309",
    "-1e400",
    "0e999",
    "01",
    "1.",
    ".5",
    "1e",
    "-",
    "+1",
    "1e99999999999",
    "123456789012345678901234567890.5",
];

/// Fragments that mutations put in.
const FRAGMENTS: [&str; 30] = [
    " ", "\n", "\t", "\r", "\u{b}", "\u{a0}", "\u{feff}", ",", ":", "\"", "\\", "{", "}", "[", "]", "0", "-", ".", "e",
    "u", "null", "tru", "true", "false", "\u{0}", "\u{1f}", "é", "{}", "[]", "//",
];

fn space(random: &mut Random, json: &mut String) {
    if random.below(8) == 0 {
        json.push_str(random.of(&[" ", "\n", "\t\r", "  "]));
    }
}

fn string(random: &mut Random, json: &mut String) {
    json.push('"');
    // Mostly such that are valid, so that what follows is read too.
    for _ in 0..=random.below(2) {
        let valid = random.below(60) != 0;
        json.push_str(random.of(if valid { &STRINGS[..19] } else { &STRINGS }));
    }
    json.push('"');
}

fn value(random: &mut Random, depth: usize, json: &mut String) {
    space(random, json);
    match random.below(if depth == 0 { 5 } else { 9 }) {
        0 | 1 => string(random, json),
        2 | 3 => {
            let valid = random.below(30) != 0;
            json.push_str(random.of(if valid { &NUMBERS[..13] } else { &NUMBERS }));
        }
        4 => json.push_str(random.of(&["true", "false", "null"])),
        5 | 6 => {
            json.push('[');
            for element in 0..random.below(4) {
                json.push_str(if element == 0 { "" } else { "," });
                value(random, depth - 1, json);
            }
            json.push(']');
        }
        _ => {
            json.push('{');
            for member in 0..random.below(4) {
                json.push_str(if member == 0 { "" } else { "," });
                space(random, json);
                string(random, json);
                if random.below(3) != 0 {
                    // Else names would stand twice too often for anything else to be seen.
                    json.pop();
                    write!(json, "{member}\"").expect("memory");
                }
                space(random, json);
                json.push(':');
                value(random, depth - 1, json);
            }
            json.push('}');
        }
    }
    space(random, json);
}

fn boundary(random: &mut Random, json: &str) -> usize {
    let mut at = random.below(json.len() + 1);
    while !json.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn mutate(random: &mut Random, json: &mut String) {
    let (one, other) = (boundary(random, json), boundary(random, json));
    let (start, end) = (one.min(other), one.max(other));
    match random.below(7) {
        0 => json.truncate(start),
        1 => json.insert_str(start, random.of(&FRAGMENTS)),
        2 if start < json.len() => {
            json.remove(start);
        }
        3 if start < json.len() => {
            // Flips a bit, where that leaves a character.
            let flipped = u32::from(json.remove(start)) ^ (1 << random.below(8));
            json.insert(start, char::from_u32(flipped).unwrap_or('?'));
        }
        4 => {
            let part = json[start..end].to_owned();
            json.insert_str(end, &part);
        }
        5 => {
            let nested = random.below(140);
            json.insert_str(start, &"[".repeat(nested));
            json.push_str(&"]".repeat(nested));
        }
        _ => json.insert_str(start, random.of(&NUMBERS)),
    }
}

#[test]
fn accepts_exactly_the_json_that_serde_json_accepts() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    let texts = 200_000;
    let mut json = String::new();
    let generated = iter::repeat_with(|| {
        // A text and some mutations of it, each on top of the last.
        if random.below(4) == 0 || json.len() > 300 {
            json.clear();
            value(&mut random, 3, &mut json);
        } else {
            mutate(&mut random, &mut json);
        }
        json.clone()
    });
    for json in generated.take(texts) {
        let expected = serde_json::from_str::<Judged>(&json).is_ok();
        assert_eq!(accepts(&json), expected, "{json:?}");
        accepted += usize::from(expected);
    }
    // Neither answer is rare.
    assert!((texts / 10..texts / 10 * 9).contains(&accepted), "{accepted}");
}

#[test]
fn reads_strings_and_numbers_as_serde_json_does() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut json = String::new();
    for _ in 0..20_000 {
        json.clear();
        if random.below(2) == 0 {
            string(&mut random, &mut json);
        } else {
            json.push_str(random.of(&NUMBERS));
        }
        if random.below(4) == 0 {
            mutate(&mut random, &mut json);
        }
        let read = scalar(&json);
        match serde_json::from_str::<serde_json::Value>(&json) {
            Ok(serde_json::Value::String(text)) => assert_eq!(read, Ok(Value::String(text.into())), "{json:?}"),
            Ok(serde_json::Value::Number(number)) => match read {
                Ok(Value::Integer(integer)) => assert_eq!(number.as_u64(), Some(integer), "{json:?}"),
                Ok(Value::Float(float)) => assert_eq!(number.as_f64(), Some(float), "{json:?}"),
                other => panic!("{json:?} is {other:?}"),
            },
            Ok(_) => assert!(read.is_ok() || accepts(&json), "{json:?}"),
            Err(_) => assert!(read.is_err(), "{json:?}"),
        }
    }
}
