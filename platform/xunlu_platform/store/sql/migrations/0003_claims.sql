-- Whoever dies between writing down a claim and answering it leaves a device that asks again, with the nonce of before.

-- SHA-256 of the nonce that a device claimed its identity with: until it has spoken, that nonce may have a new password.
alter table device add column claim_hash bytea;
