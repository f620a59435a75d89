//! `landskap init`: a small landscape to start from. It is `landscapes/minimal`, so that it is tested.

use anyhow::Context;

use super::args::Init;
use super::exit::Exit;
use super::failure::Failure;
use super::session::Session;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../landscapes/minimal/", $path)))),*]
    };
}

/// What is written.
const FILES: &[(&str, &str)] = files![
    "landscape.yaml",
    "clusters/dev/cluster.yaml",
    "components/hello.yaml",
    "charts/hello/Chart.yaml",
    "charts/hello/values.yaml",
    "charts/hello/values.schema.json",
    "charts/hello/templates/configmap.yaml.tera",
    "charts/hello/templates/deployment.yaml.tera",
    "charts/hello/templates/service.yaml.tera",
];

/// Writes the landscape; refuses to replace anything.
pub fn run(session: &Session, arguments: &Init) -> Result<Exit, Failure> {
    let root = session.environment.directory.join(&arguments.directory);
    if let Some((path, _)) = FILES.iter().find(|(path, _)| root.join(path).exists()) {
        return Err(Failure::Usage(
            format!("`{}` exists already", arguments.directory.join(path).display()),
            "name an empty directory: landskap init DIRECTORY".into(),
        ));
    }
    for (path, text) in FILES {
        let target = root.join(path);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("`{}` cannot be made", folder.display()))?;
        }
        std::fs::write(&target, text).with_context(|| format!("`{}` cannot be written", target.display()))?;
    }
    let here = arguments.directory.display().to_string();
    let go = if here == "." { String::new() } else { format!("cd {here} && ") };
    session.terminal.say(&format!(
        "wrote a landscape of one cluster and one component\n\
         next: {go}landskap check\n\
         then: {go}landskap diff --context CONTEXT\n"
    ));
    Ok(Exit::Fine)
}
