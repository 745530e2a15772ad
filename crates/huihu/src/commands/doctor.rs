//! `huihu doctor`: everything that calls need, looked at.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::config;
use crate::cli::Doctor;
use crate::doctor::{Diagnosis, Grade, examine};
use crate::say;

pub(crate) async fn run(command: &Doctor) -> Result<()> {
    let diagnoses = examine(&command.place, &config(&command.place)?).await?;
    if command.json {
        say(&printed(&diagnoses).to_string());
    } else {
        diagnoses.iter().flat_map(lines).for_each(|line| say(&line));
    }
    match count(&diagnoses, Grade::Fault) {
        0 => Ok(()),
        faults => bail!("{faults} of {} checks found a fault: the lines say what to do", diagnoses.len()),
    }
}

/// A line for people, and another with what to do.
fn lines(diagnosis: &Diagnosis) -> Vec<String> {
    let Diagnosis { check, grade, says, fix } = diagnosis;
    let mut lines = vec![format!("{:<8} {check:<10} {says}", grade.word())];
    if !fix.is_empty() {
        lines.push(format!("{:19} → {fix}", ""));
    }
    lines
}

fn printed(diagnoses: &[Diagnosis]) -> Value {
    let one = |diagnosis: &Diagnosis| {
        let Diagnosis { check, grade, says, fix } = diagnosis;
        json!({"check": check, "grade": grade.word(), "says": says, "fix": (!fix.is_empty()).then_some(fix)})
    };
    json!({
        "ok": count(diagnoses, Grade::Ok),
        "warnings": count(diagnoses, Grade::Warning),
        "faults": count(diagnoses, Grade::Fault),
        "diagnoses": diagnoses.iter().map(one).collect::<Vec<_>>(),
    })
}

fn count(diagnoses: &[Diagnosis], grade: Grade) -> usize {
    diagnoses.iter().filter(|diagnosis| diagnosis.grade == grade).count()
}
