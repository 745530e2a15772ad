//! Menus of spoken texts, as operators write them:
//!
//! ```json
//! {
//!   "nodes": {
//!     "root": { "prompt": "您好{name}，查订单请按1，结束请按0", "keys": { "1": "order", "0": "end" },
//!               "waitSecs": 5, "plays": 2, "wrong": "按键无效" },
//!     "order": { "prompt": "您的订单{no}已发货" }
//!   },
//!   "bye": "感谢来电，再见"
//! }
//! ```
//!
//! The call begins at `root`. `end` is no node: it says `bye`, if there is one, and hangs up, as does a node without
//! keys after its prompt. `waitSecs` (1 to 60, else 5) is the time for a key after the prompt, `plays` (1 to 9, else 2)
//! how often the prompt is played while nobody presses a key that leads somewhere, `wrong` what is said after a key that
//! leads nowhere.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::BadTemplate;
use super::named::Named;
use crate::order::{Choice, MenuNode, MenuTree, Then};

/// Texts with places, and the keys that lead from one to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuTemplate {
    texts: Vec<Named>,
    tree: MenuTree<TextNo>,
}

/// Which of a template's texts, from 0. A template that is no menu has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextNo(pub u16);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    nodes: BTreeMap<Box<str>, WrittenNode>,
    bye: Option<Box<str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenNode {
    prompt: Box<str>,
    #[serde(default)]
    keys: BTreeMap<char, Box<str>>,
    #[serde(default = "wait_secs")]
    wait_secs: u8,
    #[serde(default = "plays")]
    plays: u8,
    wrong: Option<Box<str>>,
}

const fn wait_secs() -> u8 {
    5
}

const fn plays() -> u8 {
    2
}

impl MenuTemplate {
    /// Reads a menu.
    ///
    /// # Errors
    /// [`BadTemplate::Menu`] with a sentence that says what is wrong.
    pub fn parse(json: &str) -> Result<Self, BadTemplate> {
        let written: Written =
            serde_json::from_str(json).map_err(|fault| bad(format!("this is not a menu: {fault}")))?;
        if !(1..=NODES_MAX).contains(&written.nodes.len()) {
            return Err(bad(format!("a menu has 1 to {NODES_MAX} nodes")));
        }
        if written.nodes.contains_key(END) {
            return Err(bad(format!("{END} is where the call ends and cannot be a node's name")));
        }
        if !written.nodes.contains_key(ROOT) {
            return Err(bad(format!("the menu begins at the node {ROOT}, and there is none")));
        }
        // The root comes first, whatever the others are called.
        let others = written.nodes.keys().map(|name| &**name).filter(|name| *name != ROOT);
        let names: Vec<&str> = std::iter::once(ROOT).chain(others).collect();
        let mut texts = Vec::new();
        let nodes = names.iter().map(|name| node(name, &written.nodes[*name], &names, &mut texts));
        let nodes = nodes.collect::<Result<_, _>>()?;
        let bye = written.bye.as_deref().map(|words| text("bye", words, &mut texts)).transpose()?;
        Ok(Self { texts, tree: MenuTree { nodes, bye } })
    }

    /// Its texts; what [`Self::tree`] calls [`TextNo`] is their position.
    #[must_use]
    pub fn texts(&self) -> &[Named] {
        &self.texts
    }

    /// One of its texts.
    #[must_use]
    pub fn text(&self, number: TextNo) -> Option<&Named> {
        self.texts.get(usize::from(number.0))
    }

    /// Which key leads where, and what is said there.
    #[must_use]
    pub const fn tree(&self) -> &MenuTree<TextNo> {
        &self.tree
    }
}

fn node(
    name: &str,
    node: &WrittenNode,
    names: &[&str],
    texts: &mut Vec<Named>,
) -> Result<MenuNode<TextNo>, BadTemplate> {
    let of = format!("node {name}");
    let wrong = format!("{of}, wrong");
    Ok(MenuNode {
        prompt: text(&of, &node.prompt, texts)?,
        choices: node.keys.iter().map(|(key, to)| choice(&of, *key, to, names)).collect::<Result<_, _>>()?,
        wait: Duration::from_secs(within(&of, "waitSecs", node.wait_secs, WAIT_SECS_MAX)?.into()),
        plays: within(&of, "plays", node.plays, PLAYS_MAX)?,
        wrong: node.wrong.as_deref().map(|words| text(&wrong, words, texts)).transpose()?,
    })
}

/// Adds a text to the others.
fn text(of: &str, words: &str, texts: &mut Vec<Named>) -> Result<TextNo, BadTemplate> {
    // There are at most two a node and one more.
    let number = TextNo(u16::try_from(texts.len()).unwrap_or(u16::MAX));
    texts.push(Named::parse(words).map_err(|fault| bad(format!("{of}: {fault}")))?);
    Ok(number)
}

fn choice(of: &str, key: char, to: &str, names: &[&str]) -> Result<Choice, BadTemplate> {
    if !matches!(key, '0'..='9' | '*' | '#') {
        return Err(bad(format!("{of}: {key} is no key; keys are 0 to 9, * and #")));
    }
    let node = names.iter().position(|name| *name == to).and_then(|node| u8::try_from(node).ok());
    let then = match node {
        Some(node) => Then::Node(node),
        None if to == END => Then::End,
        None => return Err(bad(format!("{of}: key {key} leads to {to}, and there is no such node"))),
    };
    Ok(Choice { key, then })
}

fn within(of: &str, what: &str, value: u8, most: u8) -> Result<u8, BadTemplate> {
    if (1..=most).contains(&value) { Ok(value) } else { Err(bad(format!("{of}: {what} is 1 to {most}"))) }
}

fn bad(sentence: String) -> BadTemplate {
    BadTemplate::Menu(sentence.into())
}

const ROOT: &str = "root";
const END: &str = "end";

/// Nodes of a menu: more than anybody finds a way through by ear.
const NODES_MAX: usize = 64;

/// Seconds that a party may take for a key.
const WAIT_SECS_MAX: u8 = 60;

/// Times that a prompt is played.
const PLAYS_MAX: u8 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_begins_at_its_root() {
        let menu = MenuTemplate::parse(
            r#"{"nodes":{"a":{"prompt":"甲"},"root":{"prompt":"您好{name}","keys":{"1":"a","0":"end","*":"root"},
                "waitSecs":7,"plays":3,"wrong":"无效"}},"bye":"再见"}"#,
        )
        .unwrap();
        let tree = menu.tree();
        let said = |number: TextNo| menu.text(number).unwrap().words().collect::<String>();
        assert_eq!(tree.nodes.len(), 2);
        let root = &tree.nodes[0];
        assert_eq!((said(root.prompt), root.wrong.map(said)), ("您好".into(), Some("无效".into())));
        assert_eq!((root.wait, root.plays), (Duration::from_secs(7), 3));
        let leads = |key| root.choices.iter().find(|choice| choice.key == key).map(|choice| choice.then);
        assert_eq!(
            [leads('1'), leads('0'), leads('*')],
            [Some(Then::Node(1)), Some(Then::End), Some(Then::Node(0))]
        );
        let leaf = &tree.nodes[1];
        assert_eq!((said(leaf.prompt), leaf.choices.len(), leaf.plays), ("甲".into(), 0, 2));
        assert_eq!(tree.bye.map(said), Some("再见".into()));
        assert_eq!(tree.voices().count(), 4);
    }

    #[test]
    fn what_is_no_menu_is_said() {
        for (json, word) in [
            ("", "not a menu"),
            ("[]", "not a menu"),
            (r#"{"nodes":{}}"#, "1 to 64 nodes"),
            (r#"{"nodes":{"a":{"prompt":"x"}}}"#, "begins at the node root"),
            (r#"{"nodes":{"root":{"prompt":"x"},"end":{"prompt":"x"}}}"#, "cannot be a node's name"),
            (r#"{"nodes":{"root":{"prompt":"x","keys":{"a":"root"}}}}"#, "a is no key"),
            (r#"{"nodes":{"root":{"prompt":"x","keys":{"1":"b"}}}}"#, "leads to b"),
            (r#"{"nodes":{"root":{"prompt":"x","plays":0}}}"#, "plays is 1 to 9"),
            (r#"{"nodes":{"root":{"prompt":"x","waitSecs":61}}}"#, "waitSecs is 1 to 60"),
            (r#"{"nodes":{"root":{"prompt":"{"}}}"#, "node root: a place is written as"),
            (r#"{"nodes":{"root":{"prompt":"x","colour":1}}}"#, "unknown field"),
        ] {
            let Err(BadTemplate::Menu(told)) = MenuTemplate::parse(json) else { panic!("{json}") };
            assert!(told.contains(word), "{json}: {told}");
        }
    }
}
