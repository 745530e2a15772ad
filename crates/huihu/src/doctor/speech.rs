//! Who speaks the texts of templates: started and tested as the platform does, in a folder of its own.

use anyhow::Result;
use speech::speech::Speech;

use super::Diagnosis;
use crate::backup::{Scratch, passing_name};
use crate::config::{Config, VoiceName};
use crate::words;

pub(super) async fn check(config: &Config) -> Result<Vec<Diagnosis>> {
    let scratch = Scratch::new(std::env::temp_dir().join(passing_name("huihu-doctor")))?;
    let opened = Speech::open(words::settings(config, scratch.path())?).await?;
    let absent: Vec<_> = opened.absent.iter().map(|(voice, fault)| (*voice, fault.to_string())).collect();
    Ok(judge(chosen(config.speech.voice), &absent))
}

const fn chosen(voice: VoiceName) -> &'static str {
    match voice {
        VoiceName::Espeak => "espeak",
        VoiceName::Http => "http",
        VoiceName::Kokoro => "kokoro",
    }
}

fn judge(chosen: &str, absent: &[(&str, String)]) -> Vec<Diagnosis> {
    let is_absent = |voice: &str| absent.iter().any(|(name, _)| *name == voice);
    let nobody = is_absent(chosen) && is_absent(ESPEAK);
    let mut diagnoses: Vec<Diagnosis> = absent
        .iter()
        .map(|(voice, why)| {
            let what = if nobody {
                "texts of templates are not spoken"
            } else {
                "another voice speaks in its place"
            };
            Diagnosis::warning(CHECK, format!("{voice} does not speak ({why}): {what}"), fix(voice))
        })
        .collect();
    if !is_absent(chosen) {
        diagnoses.insert(0, Diagnosis::ok(CHECK, format!("{chosen} speaks")));
    }
    diagnoses
}

fn fix(voice: &str) -> &'static str {
    match voice {
        "kokoro" => "`huihu voice install` fetches it; it needs espeak-ng too",
        "http" => "check speech.http_url, and whether its service runs",
        _ => "`apt install espeak-ng`; codes and voice files need no voice",
    }
}

/// The voice that stands behind the others.
const ESPEAK: &str = "espeak";

const CHECK: &str = "speech";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::told;

    #[test]
    fn a_voice_speaks_or_another_does_or_nobody() {
        let said = |chosen, absent: &[&'static str]| {
            let absent: Vec<_> = absent.iter().map(|voice| (*voice, "not found".to_owned())).collect();
            judge(chosen, &absent).iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(said("espeak", &[]), ["ok: espeak speaks"]);
        assert!(
            said("kokoro", &["kokoro"])[0]
                .starts_with("warning: kokoro does not speak (not found): another voice")
        );
        assert!(said("espeak", &["espeak"])[0].contains("texts of templates are not spoken"));
        let both = said("http", &["http", "espeak"]);
        assert!(both.len() == 2 && both[1].contains("apt install espeak-ng"), "{both:?}");
        assert_eq!(said("http", &["espeak"])[0], "ok: http speaks");
    }
}
