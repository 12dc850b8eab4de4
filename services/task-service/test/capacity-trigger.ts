/** Writes an audit entry `over_capacity` whenever a statement leaves an agent with more tasks than it has room for. */
export const CAPACITY_TRIGGER = `
  CREATE FUNCTION check_capacity() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE worst record;
  BEGIN
    SELECT a.id, a.max_concurrent + a.prefetch AS capacity, count(t.id) AS held INTO worst
    FROM agents a JOIN tasks t ON t.assigned_to = a.id AND t.status IN ('assigned','in_progress')
    WHERE a.id IN (SELECT assigned_to FROM touched)
    GROUP BY a.id HAVING count(t.id) > a.max_concurrent + a.prefetch LIMIT 1;
    IF FOUND THEN
      INSERT INTO audit_log VALUES (gen_random_uuid(), now(), 'test', 'over_capacity', worst.id, NULL, to_json(worst));
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER check_capacity AFTER UPDATE ON tasks REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION check_capacity();`;
