-- What people call a device. Portable: see the first migration. What is searched has the label from the next change
-- of a device on, and no device has one yet.
ALTER TABLE devices ADD COLUMN label TEXT;
