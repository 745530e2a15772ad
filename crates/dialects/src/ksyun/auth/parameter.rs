//! The signature in the parameters.
//!
//! ```text
//! Accesskey=AKxxx&Action=CallVerify&…&SignatureMethod=HMAC-SHA256&SignatureVersion=1.0&Timestamp=2020-08-13T17:18:36Z
//! &Signature=hex(HMAC-SHA256(secret, every other parameter, sorted by name, escaped anew))
//! ```
//!
//! Every parameter is signed, those of the business, the unknown and the empty ones too. Clients sort by raw names; one
//! sorts by escaped names, which is another order only where a name holds more than letters, digits and `-_.~`.

use base::private::Private;
use base::time::Timestamp;

use crate::dialect::{Claim, Proof, Signed};
use crate::ksyun::auth::WINDOW;
use crate::ksyun::codes::{self, Answer, Family};
use crate::ksyun::fields::form::{self, Parameters};

/// The parameter that nobody signs.
pub(in crate::ksyun) const SIGNATURE: &str = "Signature";

/// How a request's time is written; always UTC.
pub(in crate::ksyun) const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%SZ";

/// The only way to sign; some clients write the version as a whole number.
pub(in crate::ksyun) const METHOD: &str = "HMAC-SHA256";
pub(in crate::ksyun) const VERSION: &str = "1.0";

/// Reads who says they ask.
pub(super) fn claim(parameters: &Parameters) -> Result<Claim, Answer> {
    let required = |name| parameters.value(name).ok_or_else(|| codes::missing(name));
    let key = required("Accesskey")?;
    let created = required("Timestamp")?;
    let version = required("SignatureVersion")?;
    let method = required("SignatureMethod")?;
    let signature = required(SIGNATURE)?;
    let made_at = time(created).ok_or_else(|| Family::Document.no_time(created))?;
    if method != METHOD || ![VERSION, "1"].contains(&version) {
        return Err(Family::Document.mismatch(codes::WRONG_SIGNATURE));
    }
    let token = parameters.value("SecurityToken").map(|token| Private::new(token.into()));
    let signed = Signed {
        covered: Private::new(canonical(parameters).into()),
        signature: signature.into(),
        created: created.into(),
        made_at,
        lives: WINDOW,
        token,
        scope: None,
    };
    Ok(Claim { key: key.into(), proof: Proof::Request(signed) })
}

/// The time of a request, if it is written as documented.
fn time(text: &str) -> Option<Timestamp> {
    // The form has a fixed width; the parser alone would also take one-digit months.
    const WIDTH: usize = "2020-08-13T17:18:36Z".len();

    Timestamp::parse(text, TIMESTAMP).filter(|_| text.len() == WIDTH)
}

/// The text that is signed, sorted by raw names.
fn canonical(parameters: &Parameters) -> String {
    form::print(parameters.iter().filter(|(name, _)| *name != SIGNATURE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ksyun::auth::signature;

    fn signed(secret: &str, form: &str) -> String {
        signature(secret, None, &canonical(&Parameters::of_form(form.as_bytes()).unwrap()))
    }

    /// The document's sample, as it prints it before it signs it.
    const SAMPLE: &str = "Accesskey=AKxxx&Action=CallVerify&Code=123456&Mobile=1xxxx&PlayTimes=1&Service=voice\
        &SignatureMethod=HMAC-SHA256&SignatureVersion=1.0&Timestamp=2020-04-15T14%3A58%3A22Z&TplId=1&Version=2020-05-01";

    #[test]
    fn the_documents_sample_has_the_documents_signature() {
        let sample = Parameters::of_form(SAMPLE.as_bytes()).unwrap();
        assert_eq!(canonical(&sample), SAMPLE);
        let expected = "b28616f50f00380341a647c73101a459d8119c9d4a98fcff5fa4a023f82ef229";
        assert_eq!(signed("SKxxx", SAMPLE), expected);
        let shuffled =
            format!("{SAMPLE}&Signature={expected}").split('&').rev().collect::<Vec<_>>().join("&");
        assert_eq!(signed("SKxxx", &shuffled), expected);
    }

    #[test]
    fn the_array_above_the_sample_is_another_request() {
        let array = SAMPLE.replace("1xxxx", "1xxxxxxxxxx");
        assert_eq!(
            signed("SKxxx", &array),
            "ed2d3f2a1ca28c11eba4f854edfaaa375f1bfb1740a66f7ef699800a2ac9b4e8"
        );
    }

    #[test]
    fn a_public_clients_own_vector_has_its_signature() {
        let form = "Boolean=true&Accesskey=AKKKKKK&Service=iam&Action=CreateUser&Version=2015-11-01\
            &Timestamp=2021-08-12T02:47:36Z&SignatureVersion=1&SignatureMethod=HMAC-SHA256&UserName=Ttest\
            &RealName=周四测试&Email=zsce@aa.com&Remark=~ce shi*%25%23|%2B&Array[0]=1&Array[1]=2&Array[2]=3\
            &SimpleFilter.1=1&SimpleFilter.2=2&DeepFilter.1.a=1&DeepFilter.1.b=2&DeepFilter.2.a=2&DeepFilter.2.b=3";
        let expected = "f99dc36bc6cd84dbb3148a402df6fc1ad9891a26dca42315b831551f5ae92620";
        assert_eq!(signed("SKKKKK==", form), expected);
    }

    #[test]
    fn a_time_is_written_as_documented() {
        for (text, good) in [
            ("2020-08-13T17:18:36Z", true),
            ("2020-8-13T17:18:36Z", false),
            ("2020-08-13 17:18:36", false),
            ("2020-08-13T17:18:36", false),
            ("2020-08-13T17:18:36+08:00", false),
            ("2020-08-13T17:18:36.000Z", false),
            ("2020-13-13T17:18:36Z", false),
            ("1597339116", false),
        ] {
            assert_eq!(time(text).is_some(), good, "{text}");
        }
    }
}
