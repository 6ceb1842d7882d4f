//! Whether a text is a regular expression of ECMA 262.
//!
//! The grammar is that of patterns (ECMA 262, section 22.2.1), with lookbehind and named groups. Two things are stricter than
//! what browsers do for old pages, because they are slips wherever they occur: a letter may be escaped only if the escape
//! means something (`\A`, `\z` and `\h` belong to other dialects), and a class may not run backwards. Punctuation may be
//! escaped freely, and `{`, `}` and `]` may stand for themselves.

/// What is wrong with the pattern, if something is.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let characters: Vec<char> = pattern.chars().collect();
    let mut reader = Reader { characters: &characters, at: 0, names: Vec::new(), named: Vec::new() };
    reader.disjunction(0)?;
    match reader.peek() {
        Some(_) => Err("a parenthesis is closed that was not opened".to_owned()),
        None => match reader.named.iter().find(|name| !reader.names.contains(name)) {
            Some(name) => Err(format!("there is no group called `{name}`")),
            None => Ok(()),
        },
    }
}

struct Reader<'p> {
    characters: &'p [char],
    at: usize,
    /// Names of groups.
    names: Vec<String>,
    /// Names that are referred to.
    named: Vec<String>,
}

/// Deeper nesting is no pattern that anybody wrote.
const MAX_DEPTH: usize = 100;

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn eat(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let is_there = self.characters[self.at..].iter().take(length).copied().eq(text.chars());
        if is_there {
            self.at += length;
        }
        is_there
    }

    fn disjunction(&mut self, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("groups are nested too deep".to_owned());
        }
        while let Some(character) = self.peek() {
            match character {
                ')' => return Ok(()),
                '|' => self.at += 1,
                _ => self.term(depth)?,
            }
        }
        Ok(())
    }

    fn term(&mut self, depth: usize) -> Result<(), String> {
        let can_repeat = match self.next() {
            Some('^' | '$') => false,
            Some('(') => self.group(depth)?,
            Some('[') => {
                self.class()?;
                true
            }
            Some('\\') => match self.peek() {
                Some('b' | 'B') => {
                    self.at += 1;
                    false
                }
                _ => {
                    self.escape(false)?;
                    true
                }
            },
            Some(character @ ('*' | '+' | '?')) => return Err(format!("`{character}` has nothing to repeat")),
            Some('{') => {
                self.at -= 1;
                if self.braces()? {
                    return Err("a count in braces has nothing to repeat".to_owned());
                }
                self.at += 1;
                true
            }
            _ => true,
        };
        let from = self.at;
        let is_repeated = match self.peek() {
            Some('*' | '+' | '?') => {
                self.at += 1;
                true
            }
            Some('{') => self.braces()?,
            _ => false,
        };
        if is_repeated && !can_repeat {
            let what: String = self.characters[from..self.at].iter().collect();
            return Err(format!("`{what}` follows what cannot be repeated"));
        }
        if is_repeated {
            self.eat("?");
        }
        Ok(())
    }

    /// A count in braces, if one stands here.
    fn braces(&mut self) -> Result<bool, String> {
        let from = self.at;
        self.at += 1;
        let least = self.digits();
        let most = if self.eat(",") { self.digits() } else { least.clone() };
        if least.is_empty() || !self.eat("}") {
            self.at = from;
            return Ok(false);
        }
        let number = |digits: &str| digits.parse::<u64>().unwrap_or(u64::MAX);
        if !most.is_empty() && number(&least) > number(&most) {
            return Err(format!("`{{{least},{most}}}` runs backwards"));
        }
        Ok(true)
    }

    fn digits(&mut self) -> String {
        let mut out = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            out.push(digit);
            self.at += 1;
        }
        out
    }

    /// What follows an opening parenthesis; whether the whole can be repeated.
    fn group(&mut self, depth: usize) -> Result<bool, String> {
        let mut can_repeat = true;
        if self.eat("?") {
            if self.eat("=") || self.eat("!") || self.eat(":") {
                // Browsers let lookaheads be repeated.
            } else if self.eat("<=") || self.eat("<!") {
                can_repeat = false;
            } else if self.eat("<") {
                let name = self.name()?;
                self.names.push(name);
            } else {
                let what: String = self.characters[self.at - 2..].iter().take(4).collect();
                return Err(format!("`{what}` begins no group that ECMA 262 knows"));
            }
        }
        self.disjunction(depth + 1)?;
        if !self.eat(")") {
            return Err("a parenthesis is not closed".to_owned());
        }
        Ok(can_repeat)
    }

    fn name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        loop {
            match self.next() {
                Some('>') if !name.is_empty() => return Ok(name),
                Some(character) if character.is_alphanumeric() || "_$".contains(character) => name.push(character),
                _ => return Err("a group has no proper name".to_owned()),
            }
        }
    }

    fn class(&mut self) -> Result<(), String> {
        self.eat("^");
        loop {
            let from = match self.next() {
                None => return Err("a class in brackets is not closed".to_owned()),
                Some(']') => return Ok(()),
                Some(character) => self.member(character)?,
            };
            let is_range =
                self.peek() == Some('-') && self.characters.get(self.at + 1).is_some_and(|next| *next != ']');
            if !is_range {
                continue;
            }
            self.at += 1;
            let to = match self.next() {
                None => return Err("a class in brackets is not closed".to_owned()),
                Some(character) => self.member(character)?,
            };
            if let (Some(from), Some(to)) = (from, to)
                && from > to
            {
                return Err(format!("the range `{from}-{to}` runs backwards"));
            }
        }
    }

    /// One member of a class; nothing if it stands for several characters.
    fn member(&mut self, character: char) -> Result<Option<char>, String> {
        if character == '\\' { self.escape(true) } else { Ok(Some(character)) }
    }

    /// What follows a backslash; the character it stands for, if it stands for one that is known.
    fn escape(&mut self, is_in_class: bool) -> Result<Option<char>, String> {
        let Some(character) = self.next() else { return Err("it ends with a backslash".to_owned()) };
        Ok(match character {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' | '0'..='9' => None,
            't' => Some('\t'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            'v' => Some('\u{b}'),
            'f' => Some('\u{c}'),
            'b' if is_in_class => Some('\u{8}'),
            'c' => match self.next().filter(char::is_ascii_alphabetic) {
                Some(_) => None,
                None => return Err("`\\c` needs a letter".to_owned()),
            },
            'x' => Some(self.hexadecimal('x', 2)?),
            'u' if self.eat("{") => {
                let digits: String = std::iter::from_fn(|| self.next().filter(|digit| *digit != '}')).collect();
                let number = u32::from_str_radix(&digits, 16).ok().filter(|number| *number <= 0x10_FFFF);
                number.ok_or("`\\u{…}` needs the number of a character")?;
                number.and_then(char::from_u32)
            }
            'u' => {
                let first = self.hexadecimal('u', 4)?;
                // A lone half of a surrogate pair stands for no character that could be compared.
                Some(first).filter(|first| *first != char::REPLACEMENT_CHARACTER)
            }
            'p' | 'P' => {
                let is_braced = self.eat("{");
                let name: String = std::iter::from_fn(|| self.next().filter(|digit| *digit != '}')).collect();
                if !is_braced || name.is_empty() {
                    return Err(format!("`\\{character}` needs a property in braces"));
                }
                None
            }
            'k' if !is_in_class => {
                if !self.eat("<") {
                    return Err("`\\k` needs the name of a group".to_owned());
                }
                let name = self.name()?;
                self.named.push(name);
                None
            }
            letter if letter.is_ascii_alphabetic() => {
                return Err(format!("`\\{letter}` means nothing in ECMA 262"));
            }
            other => Some(other),
        })
    }

    fn hexadecimal(&mut self, letter: char, digits: usize) -> Result<char, String> {
        let text: String = self.characters[self.at..].iter().take(digits).collect();
        let number =
            u32::from_str_radix(&text, 16).ok().filter(|_| text.chars().count() == digits && !text.starts_with('+'));
        let number = number.ok_or_else(|| format!("`\\{letter}` needs {digits} hexadecimal digits"))?;
        self.at += digits;
        Ok(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn patterns_of_ecma_262() {
        for pattern in [
            "",
            "^",
            "a|b|",
            "^[A-Za-z0-9]{5}-[A-Za-z0-9]{5}$",
            "^otpauth://totp/",
            "^[^:]*$",
            r"^\S+$",
            r"\d{1,3}\.\d{2,}",
            "(?:a)(?=b)(?!c)(?<=d)(?<!e)(?<year>f)\\k<year>",
            "a*?b+?c??d{2}?",
            "(?=a)*",
            r"[\w.-]+",
            r"[\]\[\-]",
            "[]",
            "[^]",
            "a{,3}",
            "a{",
            "x{a}",
            "}",
            "]",
            r"\/\-\@\_",
            r"\x41\u0041\u{1F600}\cA\0\1",
            r"[\b]",
            r"\p{L}+\P{Script=Greek}",
            "[a-]",
            "[-a]",
            r"[\d-z]",
            "é😀",
            r"\ud83d\ude00",
            "[[:alpha:]]",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn patterns_of_nobody_or_of_others() {
        for (pattern, problem) in [
            ("(", "a parenthesis is not closed"),
            ("a)", "a parenthesis is closed that was not opened"),
            ("[a", "a class in brackets is not closed"),
            ("[a-", "a class in brackets is not closed"),
            ("[z-a]", "the range `z-a` runs backwards"),
            ("*a", "`*` has nothing to repeat"),
            ("a|+", "`+` has nothing to repeat"),
            ("{2}", "a count in braces has nothing to repeat"),
            ("^*", "`*` follows what cannot be repeated"),
            (r"\b{2}", "`{2}` follows what cannot be repeated"),
            ("a**", "`*` has nothing to repeat"),
            ("a++", "`+` has nothing to repeat"),
            ("a{3,2}", "`{3,2}` runs backwards"),
            ("(?i)a", "`(?i)` begins no group that ECMA 262 knows"),
            ("(?P<a>b)", "`(?P<` begins no group that ECMA 262 knows"),
            ("(?>a)", "`(?>a` begins no group that ECMA 262 knows"),
            ("(?<>a)", "a group has no proper name"),
            (r"\k<a>", "there is no group called `a`"),
            (r"\Aa\z", r"`\A` means nothing in ECMA 262"),
            ("a\\", "it ends with a backslash"),
            (r"\xg1", r"`\x` needs 2 hexadecimal digits"),
            (r"\u12", r"`\u` needs 4 hexadecimal digits"),
            (r"\u{110000}", r"`\u{…}` needs the number of a character"),
            (r"\pL", r"`\p` needs a property in braces"),
            (r"\c1", r"`\c` needs a letter"),
        ] {
            assert_eq!(check(pattern), Err(problem.to_owned()), "{pattern}");
        }
        assert_eq!(check(&"(".repeat(100_000)), Err("groups are nested too deep".to_owned()));
    }
}
