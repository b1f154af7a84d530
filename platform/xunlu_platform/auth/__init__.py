"""Who somebody is and what they may do: passwords, logins, roles, and the accounts of devices at the broker."""
