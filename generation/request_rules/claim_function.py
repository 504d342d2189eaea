"""The claim as a function of the database: one call in place of ten, each statement of it on what
was committed by then, and planned once a connection.

It is made anew after every migration. Its name has a number, for workers of the last release call
theirs while the new one migrates: whoever changes what it takes or gives counts it up.
"""

NAME = "generation_claim_1"

SQL = """
CREATE OR REPLACE FUNCTION public.generation_claim_1(
    models bigint[],          -- whose requests it may take; NULL: all
    least_priority int,       -- below which it takes none
    resident text[],          -- digests of the adapters that are loaded
    ahead int,                -- of how many of a project's next requests it chooses
    not_overtaken interval,   -- after which the first of them goes first, whatever is loaded
    quantum int,              -- see deficit_round_robin
    token uuid, worker text, at timestamptz, lease interval,
    OUT request_id uuid, OUT ring int, OUT served_in bigint, OUT is_ring_behind boolean
) LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    share generation_fairshare;
    passed bigint[] := '{}';
    first_id bigint;
    cost bigint;
    due bigint;
BEGIN
    SELECT r.priority INTO ring FROM generation_generationrequest r
    WHERE r.status = 'queued' AND (models IS NULL OR r.model_id = ANY(models))
    ORDER BY r.priority DESC LIMIT 1;
    IF ring IS NULL OR ring < least_priority THEN
        RETURN;
    END IF;
    LOOP
        -- Who is due first among those whom no other claim serves just now.
        SELECT s.* INTO share FROM generation_fairshare s
        WHERE s.priority = ring AND s.id <> ALL(passed) AND EXISTS (
            SELECT 1 FROM generation_generationrequest r
            WHERE r.status = 'queued' AND r.priority = ring AND r.project_id = s.project_id
                AND (models IS NULL OR r.model_id = ANY(models))
            OFFSET 0  -- asked of one share after the other, in order: no join of all with all
        )
        ORDER BY s.due_round, s.id LIMIT 1 FOR UPDATE OF s SKIP LOCKED;
        IF NOT FOUND THEN
            -- While others serve all there are, the first of them is waited for; but never by
            -- whoever holds one already. Gone when it is free, its project had nothing more.
            SELECT s.id INTO first_id FROM generation_fairshare s
            WHERE s.priority = ring AND passed = '{}' AND EXISTS (
                SELECT 1 FROM generation_generationrequest r
                WHERE r.status = 'queued' AND r.priority = ring AND r.project_id = s.project_id
                    AND (models IS NULL OR r.model_id = ANY(models))
                OFFSET 0
            )
            ORDER BY s.due_round, s.id LIMIT 1;
            EXIT WHEN NOT FOUND;
            PERFORM 1 FROM generation_fairshare s WHERE s.id = first_id FOR UPDATE;
            CONTINUE;
        END IF;
        SELECT r.predicted_ms INTO cost FROM generation_generationrequest r
        WHERE r.status = 'queued' AND r.priority = ring AND r.project_id = share.project_id
            AND (models IS NULL OR r.model_id = ANY(models))
        ORDER BY r.turn_ms, r.queued_at, r.id LIMIT 1;
        due := share.due_round;
        IF FOUND THEN  -- it may be another than the one that the round was counted for
            due := greatest(due, (share.spent_ms + cost + quantum - 1) / quantum);
        END IF;
        IF due > share.due_round THEN
            UPDATE generation_fairshare SET due_round = due WHERE id = share.id;
            CONTINUE;
        END IF;
        -- Of its next requests the one that needs the fewest adapters to be loaded.
        SELECT o.id INTO request_id FROM (
            SELECT r.id, r.turn_ms, r.queued_at FROM generation_generationrequest r
            WHERE r.status = 'queued' AND r.priority = ring AND r.project_id = share.project_id
                AND (models IS NULL OR r.model_id = ANY(models))
            ORDER BY r.turn_ms, r.queued_at, r.id LIMIT ahead FOR UPDATE SKIP LOCKED
        ) o
        ORDER BY CASE WHEN at - first_value(o.queued_at)
            OVER (ORDER BY o.turn_ms, o.queued_at, o.id) > not_overtaken THEN 0 ELSE (
            SELECT count(*) FROM generation_requestadapter a
            WHERE a.request_id = o.id AND a.weight <> 0 AND a.sha256 <> ALL(resident)
        ) END, o.turn_ms, o.queued_at, o.id LIMIT 1;
        EXIT WHEN request_id IS NOT NULL;
        passed := passed || share.id;  -- its rows are all locked: they are just being cancelled
    END LOOP;
    IF request_id IS NULL THEN
        RETURN;
    END IF;
    UPDATE generation_generationrequest r
    SET status = 'running', is_held = false, attempts = r.attempts + 1, started_at = at,
        lease_token = token, lease_worker = worker
    WHERE r.id = generation_claim_1.request_id AND r.status = 'queued'
    RETURNING r.predicted_ms INTO STRICT cost;
    INSERT INTO generation_leaseterm (request_id, token, expires_at)
    VALUES (generation_claim_1.request_id, token, at + lease);
    served_in := share.due_round;
    is_ring_behind := NOT EXISTS (
        SELECT 1 FROM generation_rota o WHERE o.priority = ring AND o.round >= served_in
    );
    -- What was served is paid; with nothing more to serve, the project leaves the ring.
    share.spent_ms := share.spent_ms + cost;
    SELECT r.predicted_ms INTO cost FROM generation_generationrequest r
    WHERE r.status = 'queued' AND r.priority = ring AND r.project_id = share.project_id
    ORDER BY r.turn_ms, r.queued_at, r.id LIMIT 1;
    IF NOT FOUND THEN
        DELETE FROM generation_fairshare WHERE id = share.id;
    ELSE
        UPDATE generation_fairshare SET spent_ms = share.spent_ms,
            due_round = greatest(served_in, (share.spent_ms + cost + quantum - 1) / quantum)
        WHERE id = share.id;
    END IF;
END $$;
"""
