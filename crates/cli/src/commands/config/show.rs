//! `trailproof config show`: what holds, and where each value comes from.

use serde_json::{Value, json};

use crate::commands::controls::PrintFormat;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::{ConfigurationArguments, Given, Origin, Setting};
use crate::untrusted::visible;

/// Show the settings that hold with these flags, merged with the configuration file, and where each
/// value comes from.
///
/// The output is a configuration file that says the same, with the origin behind each value. AWS is
/// not asked; what the AWS configuration files say is not shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,

    #[command(flatten)]
    given: Given,

    /// How to print.
    #[arg(long = "print", value_enum, default_value_t)]
    print: PrintFormat,
}

pub(super) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        configuration,
        given,
        print,
    } = arguments;
    // Checks all that a scan would check before it begins.
    let file = configuration.load(output)?;
    let catalogue = file.catalogue()?;
    let _ = file.mutes(&catalogue)?;
    let _ = file.attestations(&catalogue)?;
    let _ = file.forwarders()?;
    let _ = file.policy.policy(&catalogue)?;
    let settings = configuration.settings(&given)?;
    let tables = configuration.tables()?;
    if print == PrintFormat::Json {
        let settings: Vec<Value> = settings.iter().map(as_json).collect();
        let tables: serde_json::Map<String, Value> = tables
            .iter()
            .map(|(name, places)| (name.clone(), json!(places)))
            .collect();
        let document = json!({ "settings": settings, "tables": tables });
        output.data(|out| writeln!(out, "{document:#}"))?;
        return Ok(Exit::Success);
    }
    output.data(|out| {
        for setting in settings.iter().filter(|setting| setting.value.is_some()) {
            let value = setting.value.as_deref().unwrap_or_default();
            let line = format!("{} = {}", setting.key, visible(value));
            writeln!(
                out,
                "{line:<50}  # {}",
                visible(&setting.origin.to_string())
            )?;
        }
        for (name, places) in &tables {
            writeln!(out, "# [[{name}]]  {}", visible(&places.join(", ")))?;
        }
        writeln!(out, "\n# Not set, and what then holds:")?;
        for setting in settings.iter().filter(|setting| setting.value.is_none()) {
            let default = setting.default.as_deref().unwrap_or("nothing");
            writeln!(out, "# {}: {default}", setting.key)?;
        }
        Ok(())
    })?;
    Ok(Exit::Success)
}

fn as_json(setting: &Setting) -> Value {
    let value = setting.value.as_deref().and_then(|text| {
        let table: toml::Table = toml::from_str(&format!("v = {text}")).ok()?;
        serde_json::to_value(table.get("v")?).ok()
    });
    json!({
        "key": setting.key,
        "value": value,
        "default": setting.default,
        "from": match &setting.origin {
            Origin::Flag(_) => "flag",
            Origin::File(_) => "file",
            Origin::Environment(_) => "environment",
            Origin::Default => "default",
        },
        "place": setting.origin.to_string(),
    })
}
