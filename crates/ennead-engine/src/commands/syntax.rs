//! The arguments of a command as COMMAND DOCS describes them, read from the syntax line of its row.
//!
//! `[x]` is optional, `a | b` a choice, `<...>` groups, `x [x ...]` repeats; words in capitals are tokens.

#[cfg(test)]
mod tests;

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) token: Option<String>,
    pub(super) optional: bool,
    pub(super) multiple: bool,
    pub(super) arguments: Vec<Argument>,
}

pub(super) fn parse(syntax: &str) -> Vec<Argument> {
    let mut words = Vec::new();
    for part in syntax.split_whitespace() {
        let mut rest = part;
        while !rest.is_empty() {
            let len = match rest.find(['[', ']', '<', '>', '|']) {
                Some(0) => 1,
                Some(at) => at,
                None => rest.len(),
            };
            words.push(&rest[..len]);
            rest = &rest[len..];
        }
    }
    let mut parser = Parser { words: &words };
    let mut arguments = parser.choice();
    // The top level is a sequence, not one argument.
    match arguments.len() {
        1 => arguments.remove(0),
        _ => arguments.into_iter().map(join).collect(),
    }
}

struct Parser<'w> {
    words: &'w [&'w str],
}

impl Parser<'_> {
    /// Alternatives up to a closing bracket, each a sequence.
    fn choice(&mut self) -> Vec<Vec<Argument>> {
        let mut alternatives = vec![Vec::new()];
        while let Some((word, rest)) = self.words.split_first() {
            self.words = rest;
            match *word {
                "]" | ">" => break,
                "|" => alternatives.push(Vec::new()),
                "[" | "<" => {
                    let repeats = self.repeats();
                    let inner = self.choice();
                    let Some(sequence) = alternatives.last_mut() else { break };
                    if repeats > 0 {
                        repeat(sequence, repeats);
                        continue;
                    }
                    let mut argument = one_of(inner);
                    argument.optional = *word == "[";
                    sequence.push(argument);
                }
                "..." => {
                    if let Some(last) = alternatives.last_mut().and_then(|sequence| sequence.last_mut()) {
                        last.multiple = true;
                    }
                }
                word => {
                    if let Some(sequence) = alternatives.last_mut() {
                        sequence.push(single(word));
                    }
                }
            }
        }
        alternatives.into_iter().map(with_tokens).collect()
    }

    /// How many words the bracket that was opened repeats: `[key value ...]` two.
    fn repeats(&self) -> usize {
        let inner = self.words.iter().take_while(|word| !matches!(**word, "]" | "[" | "<" | ">" | "|"));
        let inner: Vec<_> = inner.collect();
        match inner.split_last() {
            Some((last, words)) if **last == "..." => words.len(),
            _ => 0,
        }
    }
}

/// Makes the last arguments of a sequence one that may come several times.
fn repeat(sequence: &mut Vec<Argument>, count: usize) {
    if count > 1 && sequence.len() >= count {
        let block = join(sequence.split_off(sequence.len() - count));
        sequence.push(block);
    }
    if let Some(last) = sequence.last_mut() {
        last.multiple = true;
    }
}

fn is_token(word: &str) -> bool {
    word.chars().any(|c| c.is_ascii_uppercase()) && !word.chars().any(|c| c.is_ascii_lowercase())
}

fn single(word: &str) -> Argument {
    let token = is_token(word).then(|| word.to_owned());
    let kind = match word {
        _ if token.is_some() => "pure-token",
        "key" | "newkey" | "source" | "destination" | "key1" | "key2" => "key",
        "pattern" => "pattern",
        "seconds" | "milliseconds" | "timeout" | "index" | "index1" | "index2" | "offset" | "start" | "end"
        | "count" | "decrement" | "cursor" | "numkeys" | "protover" | "db" | "destination-db" | "ttl" | "frequency"
        | "client-id" | "len" | "min-match-len" | "numreplicas" | "maxage" => "integer",
        word if word.starts_with("unix-time") => "unix-time",
        _ => "string",
    };
    Argument { name: word.to_ascii_lowercase(), kind, token, ..Argument::default() }
}

/// Joins a token with the words behind it.
fn with_tokens(sequence: Vec<Argument>) -> Vec<Argument> {
    let mut joined: Vec<Argument> = Vec::new();
    let mut arguments = sequence.into_iter().peekable();
    while let Some(argument) = arguments.next() {
        let plain = |argument: &Argument| argument.token.is_none() && !argument.optional;
        if argument.kind != "pure-token" || !arguments.peek().is_some_and(plain) {
            joined.push(argument);
            continue;
        }
        let mut owned = Vec::new();
        while let Some(next) = arguments.next_if(plain) {
            owned.push(next);
        }
        let mut block = join(owned);
        if block.kind == "block" {
            block.name = argument.name;
        }
        block.token = argument.token;
        joined.push(block);
    }
    joined
}

/// A sequence as one argument.
fn join(mut sequence: Vec<Argument>) -> Argument {
    if sequence.len() == 1 {
        return sequence.remove(0);
    }
    let name = sequence.first().map_or_else(String::new, |first| first.name.clone());
    Argument { name, kind: "block", arguments: sequence, ..Argument::default() }
}

fn one_of(alternatives: Vec<Vec<Argument>>) -> Argument {
    let mut arguments: Vec<Argument> = alternatives.into_iter().map(join).collect();
    if arguments.len() == 1 {
        return arguments.remove(0);
    }
    let name = arguments.iter().map(|argument| argument.name.as_str()).collect::<Vec<_>>().join("-");
    Argument { name, kind: "oneof", arguments, ..Argument::default() }
}
