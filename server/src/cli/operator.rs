//! The name under which the audit trail knows the operator.

use super::database::DatabaseCommandError as Error;
use countersign_domain::actor::OperatorName;
use countersign_flows::Caller;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Operator {
    /// Your name, for the audit trail, which shows `cli:NAME` [default: $SUDO_USER, else $USER].
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
}

impl Operator {
    /// The operator as the flows know it.
    ///
    /// # Errors
    /// When the name that was given is none.
    pub(super) fn caller(&self, environment: &[(String, String)]) -> Result<Caller, Error> {
        if let Some(given) = &self.operator {
            let name = OperatorName::on_command_line(given).ok_or_else(|| {
                let longest = OperatorName::LONGEST_ON_COMMAND_LINE;
                Error::Usage(format!("--operator: expected a name without blanks of at most {longest} characters"))
            })?;
            return Ok(Caller::operator(name));
        }
        let variable = |name: &str| {
            let (_, value) = environment.iter().find(|(variable, _)| variable == name)?;
            OperatorName::on_command_line(value)
        };
        // A service manager sets neither.
        let user_id = || OperatorName::on_command_line(&format!("uid-{}", rustix::process::getuid().as_raw()));
        let name = variable("SUDO_USER").or_else(|| variable("USER")).or_else(user_id);
        Ok(Caller::operator(name.expect("a number is a name")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_is_given_comes_first_and_there_is_always_one() {
        let name = |given: Option<&str>, environment: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let environment: Vec<_> = environment.iter().map(own).collect();
            let operator = Operator { operator: given.map(str::to_owned) };
            operator.caller(&environment).map(|caller| format!("{:?}", caller.actor)).map_err(|error| error.to_string())
        };
        let both = [("USER", "root"), ("SUDO_USER", "ada")];
        assert!(name(Some("bob"), &both).expect("a name").contains("\"cli:bob\""));
        assert!(name(None, &both).expect("a name").contains("\"cli:ada\""));
        assert!(name(None, &both[..1]).expect("a name").contains("\"cli:root\""));
        for none in [&[][..], &[("USER", "")], &[("USER", "a b")]] {
            assert!(name(None, none).expect("a name").contains("\"cli:uid-"), "{none:?}");
        }
        assert!(name(Some("a b"), &both).expect_err("no name").starts_with("--operator: expected"));
    }
}
