//! A realm file without what nobody reads.
//!
//! Macros are compiled without optimization, in which serde's parser takes 50 ns and more over every byte. Most bytes of an
//! export are users, mappers and flows: what is walked over here, in a plain loop, never gets there.

/// Which parts of a value are kept.
enum Keep {
    Everything,
    /// These members of an object.
    Members(&'static [(&'static str, Keep)]),
    /// This of each member of an object.
    EachMember(&'static Keep),
    /// This of each element of an array.
    Elements(&'static Keep),
}

/// What the types of `export` read.
static REALM: Keep = Keep::Members(&[
    ("realm", Keep::Everything),
    ("defaultRole", Keep::Everything),
    ("defaultRoles", Keep::Everything),
    (
        "roles",
        Keep::Members(&[
            ("realm", Keep::Elements(&ROLE)),
            ("client", Keep::EachMember(&Keep::Elements(&ROLE))),
        ]),
    ),
    (
        "clients",
        Keep::Elements(&Keep::Members(&[
            ("clientId", Keep::Everything),
            ("defaultRoles", Keep::Everything),
            ("authorizationServicesEnabled", Keep::Everything),
        ])),
    ),
    ("groups", Keep::Elements(&GROUP)),
    (
        "clientScopes",
        Keep::Elements(&Keep::Members(&[
            ("name", Keep::Everything),
            ("attributes", Keep::Everything),
        ])),
    ),
]);

static ROLE: Keep = Keep::Members(&[("name", Keep::Everything)]);

static GROUP: Keep = Keep::Members(&[
    ("name", Keep::Everything),
    ("path", Keep::Everything),
    ("subGroups", Keep::Elements(&GROUP)),
]);

/// The JSON of one realm, or of an array of realms, cut down to what is read. `None` where it is not what a realm file looks
/// like: the parser, given all of it, says why.
pub(super) fn essence(json: &[u8]) -> Option<Vec<u8>> {
    let mut walk = Walk {
        json,
        position: 0,
        kept: Vec::new(),
    };
    walk.white_space();
    match walk.peek()? {
        b'[' => walk.elements(&REALM)?,
        _ => walk.keep(&REALM)?,
    }
    walk.white_space();
    (walk.position == json.len()).then_some(walk.kept)
}

struct Walk<'a> {
    json: &'a [u8],
    position: usize,
    kept: Vec<u8>,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.position).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.position += 1)
    }

    fn white_space(&mut self) {
        while self.position < self.json.len() && matches!(self.json[self.position], b' ' | b'\n' | b'\r' | b'\t') {
            self.position += 1;
        }
    }

    fn keep(&mut self, what: &Keep) -> Option<()> {
        match (what, self.peek()?) {
            (Keep::Members(members), b'{') => self.members(|name| {
                let known = members.iter().find(|(known, _)| known.as_bytes() == name);
                known.map(|(_, what)| what)
            }),
            (Keep::EachMember(what), b'{') => self.members(|_| Some(what)),
            (Keep::Elements(what), b'[') => self.elements(what),
            // What is of another type than expected is kept, for the parser to say so.
            _ => {
                let start = self.position;
                self.skip()?;
                self.kept.extend_from_slice(&self.json[start..self.position]);
                Some(())
            }
        }
    }

    /// An object, with those of its members of which `what` says what is kept.
    fn members<'k>(&mut self, what: impl Fn(&[u8]) -> Option<&'k Keep>) -> Option<()> {
        self.list(b'{', b'}', |walk, is_first| {
            let start = walk.position;
            walk.skip_string()?;
            let name = &walk.json[start..walk.position];
            walk.white_space();
            walk.eat(b':')?;
            walk.white_space();
            // An escaped name is not compared as what it stands for; Keycloak writes none.
            let Some(what) = what(&name[1..name.len() - 1]) else {
                walk.skip()?;
                return Some(false);
            };
            if !is_first {
                walk.kept.push(b',');
            }
            walk.kept.extend_from_slice(name);
            walk.kept.push(b':');
            walk.keep(what)?;
            Some(true)
        })
    }

    fn elements(&mut self, what: &Keep) -> Option<()> {
        self.list(b'[', b']', |walk, is_first| {
            if !is_first {
                walk.kept.push(b',');
            }
            walk.keep(what)?;
            Some(true)
        })
    }

    /// What stands between brackets, separated by commas. `item` is told whether nothing has been kept so far, and says
    /// whether it kept something.
    fn list(&mut self, open: u8, close: u8, mut item: impl FnMut(&mut Self, bool) -> Option<bool>) -> Option<()> {
        self.eat(open)?;
        self.kept.push(open);
        self.white_space();
        let mut is_first = true;
        let mut is_empty = true;
        while self.eat(close).is_none() {
            if !is_empty {
                self.eat(b',')?;
                self.white_space();
            }
            is_empty = false;
            is_first &= !item(self, is_first)?;
            self.white_space();
        }
        self.kept.push(close);
        Some(())
    }

    /// Passes over a value. Inside it only brackets and strings matter.
    fn skip(&mut self) -> Option<()> {
        let json = self.json;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.position += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.position += 1;
                }
                b',' | b':' if depth == 0 => return None,
                _ if depth == 0 => {
                    // A number or a word.
                    while self.position < json.len()
                        && !matches!(json[self.position], b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t')
                    {
                        self.position += 1;
                    }
                }
                _ => {
                    while self.position < json.len() && !matches!(json[self.position], b'"' | b'{' | b'[' | b'}' | b']')
                    {
                        self.position += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.eat(b'"')?;
        let json = self.json;
        let mut position = self.position;
        while position < json.len() && json[position] != b'"' {
            position += if json[position] == b'\\' { 2 } else { 1 };
        }
        self.position = position + 1;
        (position < json.len()).then_some(())
    }
}
