//! The fields that every API which places a call takes besides those of its product.

use base::clip::ClipWish;
use base::order::{Objections, Placing, Product, Told};
use base::refusal::Refusal;
use base::url::PushUrl;
use serde::Deserialize;

use crate::huawei::fields::Loose;

/// As they stand in the body.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Fields {
    status_url: Loose,
    fee_url: Loose,
    return_idle_port: Loose,
    user_data: Loose,
    /// Documents before 2019 have it, and their samples are still copied.
    bind_nbr: Loose,
}

/// As far as they are read before the numbers.
pub(super) struct Wishes {
    status_url: Option<PushUrl>,
    fee_url: Option<PushUrl>,
    tell_idle_ports: bool,
    user_data: Option<Box<str>>,
    bind_nbr: Loose,
}

impl Fields {
    pub(super) fn read(self) -> Result<Wishes, Refusal> {
        Ok(Wishes {
            status_url: self.status_url.receiver("statusUrl")?,
            fee_url: self.fee_url.receiver("feeUrl")?,
            tell_idle_ports: self.return_idle_port.flag("returnIdlePort")?,
            user_data: self.user_data.user_data()?,
            bind_nbr: self.bind_nbr,
        })
    }
}

impl Wishes {
    /// A call of that product that is silent about who hung up.
    pub(super) fn place(self, product: Product<ClipWish>) -> Result<Placing, Refusal> {
        Ok(Placing {
            product,
            told: Told::Events { status_url: self.status_url, fee_url: self.fee_url },
            asked_shown: None,
            objections: Objections::Refuse,
            user_data: self.user_data,
            bound_number: self.bind_nbr.bound_number()?,
            tell_idle_ports: self.tell_idle_ports,
            tell_who_hung_up: false,
        })
    }
}
