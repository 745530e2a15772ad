//! Texts that are spoken, with places for words. There are two notations, and menus made of the second:
//!
//! | kind | written as | filled with |
//! | --- | --- | --- |
//! | [`placed`] | `您的快递已到${TXT_20}` | values in their order, each of its place's form |
//! | [`named`] | `尊敬的{name}，订单{no}已发货` | values by name, any short and plain text |
//! | [`menu`] | JSON of named texts, and the keys that lead from one to the next | values by name, the same for all its texts |

pub mod menu;
pub mod named;
pub mod placed;

pub use menu::{MenuTemplate, TextNo};
pub use named::{Lengths, Named, Unfit};
pub use placed::{Misfit, Placed};

/// A template of one of the kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wording {
    /// One text whose places are filled in their order.
    Placed(Placed),
    /// One text whose places have names.
    Named(Named),
    /// A menu of texts whose places have names.
    Menu(MenuTemplate),
}

impl Wording {
    /// Which kind this is.
    #[must_use]
    pub const fn kind(&self) -> TemplateKind {
        match self {
            Self::Placed(_) => TemplateKind::Placed,
            Self::Named(_) => TemplateKind::Named,
            Self::Menu(_) => TemplateKind::Menu,
        }
    }

    /// Reads a template of the given kind.
    ///
    /// # Errors
    /// [`BadTemplate`].
    pub fn parse(kind: TemplateKind, text: &str) -> Result<Self, BadTemplate> {
        match kind {
            TemplateKind::Placed => Placed::parse(text).map(Self::Placed),
            TemplateKind::Named => Named::parse(text).map(Self::Named),
            TemplateKind::Menu => MenuTemplate::parse(text).map(Self::Menu),
        }
    }

    /// Everything that is always said, whatever the values are.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Placed(text) => text.words().collect(),
            Self::Named(text) => text.words().collect(),
            Self::Menu(menu) => menu.texts().iter().flat_map(Named::words).collect(),
        }
    }
}

/// The kinds of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TemplateKind {
    /// [`Wording::Placed`]
    Placed,
    /// [`Wording::Named`]
    Named,
    /// [`Wording::Menu`]
    Menu,
}

/// The text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// It is empty, or longer than allowed.
    #[error("a template has 1 to {} bytes of UTF-8 (a Chinese character has 3)", placed::BYTES_MAX)]
    Length,
    /// Something stands in `${…}` that is no place.
    #[error("a place is written as ${{TXT_n}}, ${{NUM_n}}, ${{DATE}} or ${{TIME}}, with n from 1 to 32")]
    Place,
    /// A text is empty, or longer than allowed.
    #[error("a text has 1 to {} characters", named::CHARS_MAX)]
    Characters,
    /// Something stands in braces that is no name, or a brace stands alone.
    #[error("a place is written as {{name}}, with 1 to 32 letters, digits and underscores")]
    Name,
    /// The menu is not what menus are made of.
    #[error("{0}")]
    Menu(Box<str>),
}
