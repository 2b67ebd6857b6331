use std::collections::BTreeMap;

use crate::Threshold;
use crate::place::next_random;
use crate::probe::Probe;

#[test]
fn lists_answer_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        RPUSH l a b c -> (3)
        LPUSH l y x -> (5)
        LRANGE l 0 -1 -> ["x" "y" "a" "b" "c"]
        LRANGE l -100 100 -> ["x" "y" "a" "b" "c"]
        LRANGE l 3 1 -> []
        LRANGE none 0 -1 -> []
        LLEN l -> (5)
        LINDEX l -1 -> "c"
        LINDEX l 5 -> nil
        LINDEX none x -> nil
        LINDEX l x -> -ERR value is not an integer or out of range
        LPUSHX none a -> (0)
        RPUSHX l d -> (6)
        LSET l 0 w -> OK
        LSET l 6 w -> -ERR index out of range
        LSET none x w -> -ERR no such key
        LINSERT l BEFORE a z -> (7)
        LINSERT l after d e -> (8)
        LINSERT l after nothing e -> (-1)
        LINSERT none after nothing e -> (0)
        LINSERT l beside a e -> -ERR syntax error
        LRANGE l 0 -1 -> ["w" "y" "z" "a" "b" "c" "d" "e"]
        LPOP l -> "w"
        RPOP l 2 -> ["e" "d"]
        LPOP l 0 -> []
        LPOP none 0 -> nil[]
        LPOP none -> nil
        LPOP l -1 -> -ERR value is out of range, must be positive
        LPOP l 1 2 -> -ERR wrong number of arguments for 'lpop' command
        LTRIM l 1 -2 -> OK
        LRANGE l 0 -1 -> ["z" "a" "b"]
        RPUSH l a b a -> (6)
        LREM l -1 a -> (1)
        LREM l 1 a -> (1)
        LRANGE l 0 -1 -> ["z" "b" "a" "b"]
        LREM l 0 b -> (2)
        LREM none 0 b -> (0)
        LMOVE l l LEFT RIGHT -> "z"
        LMOVE l other RIGHT LEFT -> "z"
        RPOPLPUSH l other -> "a"
        EXISTS l -> (0)
        RPOPLPUSH l other -> nil
        LRANGE other 0 -1 -> ["a" "z"]
        LMOVE l other LEFT up -> -ERR syntax error
        RPUSH l 1 2 3 -> (3)
        LMPOP 2 none l RIGHT COUNT 2 -> ["l" ["3" "2"]]
        LMPOP 3 none l other LEFT COUNT 9 -> ["l" ["1"]]
        LMPOP 1 none LEFT -> nil[]
        LMPOP 0 none LEFT -> -ERR numkeys should be greater than 0
        LMPOP 2 l LEFT -> -ERR syntax error
        LMPOP 1 l LEFT COUNT 0 -> -ERR count should be greater than 0
        LMPOP 1 l LEFT COUNT 1 COUNT 1 -> -ERR syntax error
        SET s x -> OK
        LPUSH s x -> -WRONGTYPE Operation against a key holding the wrong kind of value
        LMOVE other s LEFT LEFT -> -WRONGTYPE Operation against a key holding the wrong kind of value
        LLEN other -> (2)
        LTRIM other 5 6 -> OK
        EXISTS other -> (0)
        "#,
    );
}

#[test]
fn lpos_finds_by_rank_count_and_length() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        RPUSH l a b c 1 2 3 c c -> (8)
        LPOS l c -> (2)
        LPOS l x -> nil
        LPOS none c COUNT 0 -> []
        LPOS none c -> nil
        LPOS l c RANK 2 -> (6)
        LPOS l c RANK -1 -> (7)
        LPOS l c COUNT 2 -> [(2) (6)]
        LPOS l c RANK -1 COUNT 2 -> [(7) (6)]
        LPOS l c COUNT 0 MAXLEN 3 -> [(2)]
        LPOS l c COUNT 0 MAXLEN 2 RANK -2 -> [(6)]
        LPOS l c RANK 0 -> -ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
        LPOS l c COUNT -1 -> -ERR COUNT can't be negative
        LPOS l c MAXLEN -1 -> -ERR MAXLEN can't be negative
        LPOS l c RANK -> -ERR syntax error
        LPOS l c RANK x -> -ERR value is not an integer or out of range
        "#,
    );
}

#[test]
fn a_list_grows_into_a_quicklist_and_shrinks_back() {
    let mut probe = Probe::new();
    probe.keyspace.settings().thresholds().set(Threshold::ListSize, 8);
    probe.check(
        r#"
        RPUSH l 1 2 3 4 5 6 7 8 -> (8)
        OBJECT ENCODING l -> "listpack"
        RPUSH l 9 -> (9)
        OBJECT ENCODING l -> "quicklist"
        LTRIM l 0 4 -> OK
        OBJECT ENCODING l -> "quicklist"
        LPOP l -> "1"
        OBJECT ENCODING l -> "listpack"
        "#,
    );
    probe.keyspace.settings().thresholds().set(Threshold::ListSize, -1);
    let text = "x".repeat(4_096 - 7 - 4);
    probe.run(&format!("RPUSH m {text}"));
    assert_eq!(probe.run("OBJECT ENCODING m"), "\"listpack\"");
    probe.run("RPUSH m y");
    assert_eq!(probe.run("OBJECT ENCODING m"), "\"quicklist\"");
    assert_eq!(probe.run("LSET m 0 z"), "OK");
    assert_eq!(probe.run("OBJECT ENCODING m"), "\"listpack\"");
}

#[test]
fn the_tail_of_a_long_list_is_kept_by_removing_the_rest() {
    let mut probe = Probe::new();
    let words: Vec<String> = (0..40_000).map(|number| number.to_string()).collect();
    for chunk in words.chunks(1_000) {
        probe.run(&format!("RPUSH l {}", chunk.join(" ")));
    }
    for number in 0..1_000 {
        probe.run(&format!("LSET l {} same", number * 40));
    }
    probe.check("LREM l 0 same -> (1000)\nLLEN l -> (39000)\nLINDEX l 0 -> \"1\"\nLINDEX l 39 -> \"41\"");
    probe.check("LTRIM l -3 -1 -> OK");
    for _ in 0..2 {
        probe.check("LRANGE l 0 -1 -> [\"39997\" \"39998\" \"39999\"]\nLLEN l -> (3)");
        probe.reopen_store();
    }
}

/// Random list commands against vectors.
struct Run {
    probe: Probe,
    model: BTreeMap<String, Vec<String>>,
    random: u64,
}

impl Run {
    fn draw(&mut self, below: usize) -> usize {
        (next_random(&mut self.random) >> 16) as usize % below.max(1)
    }

    fn key(&mut self) -> String {
        ["a", "{a}b", "{a}c", "d"][self.draw(4)].into()
    }

    fn element(&mut self) -> String {
        match self.draw(8) {
            0 => "e".repeat(1 + self.draw(300)),
            1..4 => self.draw(1_000).to_string(),
            _ => ["x", "y", "z"][self.draw(3)].into(),
        }
    }

    #[track_caller]
    fn expect(&mut self, command: &str, reply: String) {
        let got = self.probe.run(command);
        assert!(got == reply, "{command:.200}: {got:.200} instead of {reply:.200}");
    }

    fn put(&mut self, key: String, list: Vec<String>) {
        if list.is_empty() {
            self.model.remove(&key)
        } else {
            self.model.insert(key, list)
        };
    }

    fn step(&mut self) {
        let (key, other, element) = (self.key(), self.key(), self.element());
        let mut list = self.model.get(&key).cloned().unwrap_or_default();
        let len = list.len();
        match self.draw(12) {
            0..4 => {
                let new: Vec<String> = (0..1 + self.draw(12)).map(|_| self.element()).collect();
                let left = self.draw(2) == 0;
                let name = if left { "LPUSH" } else { "RPUSH" };
                if left {
                    list = new.iter().rev().cloned().chain(list).collect();
                } else {
                    list.extend(new.iter().cloned());
                }
                self.expect(&format!("{name} {key} {}", new.join(" ")), format!("({})", list.len()));
            }
            4 => {
                let count = self.draw(10);
                let left = self.draw(2) == 0;
                let taken: Vec<String> = if left {
                    list.drain(..count.min(len)).collect()
                } else {
                    list.drain(len - count.min(len)..).rev().collect()
                };
                let name = if left { "LPOP" } else { "RPOP" };
                let reply = if len == 0 { "nil[]".into() } else { shown(&taken) };
                self.expect(&format!("{name} {key} {count}"), reply);
            }
            5 => {
                let index = self.draw(len + 2);
                let known = index < len;
                if known {
                    list[index] = element.clone();
                }
                let reply = match (len, known) {
                    (0, _) => "-ERR no such key",
                    (_, true) => "OK",
                    _ => "-ERR index out of range",
                };
                self.expect(&format!("LSET {key} {index} {element}"), reply.into());
            }
            6 => {
                let pivot = ["x", "y", "z"][self.draw(3)];
                let after = self.draw(2);
                let at = list.iter().position(|item| item == pivot);
                if let Some(at) = at {
                    list.insert(at + after, element.clone());
                }
                let reply = at.map_or(if len == 0 { 0 } else { -1 }, |_| list.len() as i64);
                let place = ["BEFORE", "AFTER"][after];
                self.expect(&format!("LINSERT {key} {place} {pivot} {element}"), format!("({reply})"));
            }
            7 => {
                let count = self.draw(7) as i64 - 3;
                let found: Vec<usize> = (0..len).filter(|index| list[*index] == element).collect();
                let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
                let gone: Vec<usize> = match count {
                    ..0 => found.into_iter().rev().take(most).collect(),
                    _ => found.into_iter().take(most).collect(),
                };
                let mut index = 0;
                list.retain(|_| {
                    index += 1;
                    !gone.contains(&(index - 1))
                });
                self.expect(&format!("LREM {key} {count} {element}"), format!("({})", gone.len()));
            }
            8 if self.draw(4) == 0 => {
                let (from, to) = (self.draw(len / 4 + 1), self.draw(len + 1));
                list = list.into_iter().take(to + 1).skip(from).collect();
                self.expect(&format!("LTRIM {key} {from} {to}"), "OK".into());
            }
            9 => {
                let moved = list.pop();
                self.put(key.clone(), list.clone());
                if let Some(moved) = &moved {
                    let mut target = self.model.get(&other).cloned().unwrap_or_default();
                    target.insert(0, moved.clone());
                    self.put(other.clone(), target);
                }
                list = self.model.get(&key).cloned().unwrap_or_default();
                let reply = moved.map_or("nil".into(), |moved| format!("\"{moved}\""));
                self.expect(&format!("RPOPLPUSH {key} {other}"), reply);
            }
            10 if self.draw(20) == 0 => self.probe.reopen(),
            _ => {
                let (from, count) = (self.draw(len + 1), self.draw(20));
                let part: Vec<String> = list.iter().skip(from).take(count + 1).cloned().collect();
                self.expect(&format!("LRANGE {key} {from} {}", from + count), shown(&part));
                self.expect(&format!("LLEN {key}"), format!("({len})"));
                let found = list.iter().position(|item| *item == element);
                self.expect(&format!("LPOS {key} {element}"), found.map_or("nil".into(), |at| format!("({at})")));
            }
        }
        self.put(key, list);
    }
}

fn shown(list: &[String]) -> String {
    let items: Vec<String> = list.iter().map(|item| format!("\"{item}\"")).collect();
    format!("[{}]", items.join(" "))
}

#[test]
fn random_commands_do_to_lists_what_they_do_to_vectors() {
    for seed in 0..6 {
        let mut run = Run { probe: Probe::new(), model: BTreeMap::new(), random: seed };
        for _ in 0..2_000 {
            run.step();
        }
        run.probe.reopen_store();
        for (key, list) in run.model.clone() {
            run.expect(&format!("LRANGE {key} 0 -1"), shown(&list));
        }
        run.expect("DBSIZE", format!("({})", run.model.len()));
    }
}
