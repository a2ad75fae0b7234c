"""A small CRM server that behaves like HubSpot on the endpoints Rescore uses."""
