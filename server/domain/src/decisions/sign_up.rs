//! Whether a stranger may create an account.

use crate::tenant::Tenant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    Allowed,
    /// The operator has closed it: accounts are created by services.
    Closed,
}

#[must_use]
pub fn decide(tenant: &Tenant) -> SignUp {
    if tenant.sign_up { SignUp::Allowed } else { SignUp::Closed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::LoginPolicy;

    #[test]
    fn the_tenant_decides_whatever_else_it_demands() {
        for login_policy in [LoginPolicy::Disabled, LoginPolicy::Enabled, LoginPolicy::Required] {
            for (sign_up, outcome) in [(true, SignUp::Allowed), (false, SignUp::Closed)] {
                let tenant = Tenant { login_policy, sign_up, ..Tenant::default() };
                assert_eq!(decide(&tenant), outcome, "{login_policy:?} {sign_up}");
            }
        }
    }
}
